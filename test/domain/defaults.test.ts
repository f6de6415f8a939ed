import { describe, expect, it } from 'vitest';
import { settle, writtenIn, type Defaults } from '../../src/domain/defaults.ts';
import type { PlaybookSettings } from '../../src/domain/playbook.ts';

function level(settings: PlaybookSettings, name: Defaults['level'] = 'repository'): Defaults {
  return {
    level: name,
    repository: name === 'repository' ? 'acme/web' : 'acme/.github',
    blob: `blob-${name}`,
    settings,
  };
}

const NOBODY = { asked: undefined, standard: 'claude-code' };

describe('the settings of a run', () => {
  it('come each from the nearest level that has it', () => {
    const repository = level({ verify: ['npm test'], timeout: 60_000, onFailure: 'continue' });
    const organisation = level({ timeout: 1, effort: 'high' }, 'organisation');
    const { settings, used } = settle({ timeout: 2_000, verify: [] }, [repository, organisation], NOBODY);

    expect(settings).toEqual({ timeout: 2_000, verify: [], onFailure: 'continue', effort: 'high' });
    expect(used).toEqual([
      { level: 'repository', repository: 'acme/web', blob: 'blob-repository', settings: ['onFailure'] },
      { level: 'organisation', repository: 'acme/.github', blob: 'blob-organisation', settings: ['effort'] },
    ]);
    expect(writtenIn({ defaults: used }, 'timeout')).toBe('the playbook');
    expect(writtenIn({ defaults: used }, 'onFailure')).toBe('.github/maestro.yml');
    expect(writtenIn({ defaults: used }, 'effort')).toBe('.github/maestro.yml in acme/.github');
  });

  it('are the playbook’s alone where there are no defaults, or none that it does not overrule', () => {
    expect(settle({ timeout: 5 }, [], NOBODY)).toEqual({ settings: { timeout: 5 }, used: [] });
    expect(settle({ timeout: 5 }, [level({ timeout: 1 })], NOBODY)).toEqual({ settings: { timeout: 5 }, used: [] });
  });

  it('take a list of providers whole from one level', () => {
    const repository = level({ provider: 'codex', fallbacks: ['claude-code'] });
    expect(settle({}, [repository], NOBODY).settings).toEqual({ provider: 'codex', fallbacks: ['claude-code'] });
    expect(settle({ provider: 'gemini' }, [repository], NOBODY).settings).toEqual({ provider: 'gemini' });
  });

  it.each<[string, PlaybookSettings, PlaybookSettings, Partial<typeof NOBODY> | { asked: string }, string | undefined]>(
    [
      ['the operator’s standard', {}, { model: 'opus' }, {}, 'opus'],
      ['a provider of its own level', {}, { provider: 'codex', model: 'gpt-5' }, {}, 'gpt-5'],
      [
        'a provider the playbook names as well',
        { provider: 'codex' },
        { provider: 'codex', model: 'gpt-5' },
        {},
        'gpt-5',
      ],
      [
        'no other provider of the playbook’s',
        { provider: 'claude-code' },
        { provider: 'codex', model: 'gpt-5' },
        {},
        undefined,
      ],
      ['no other than the operator’s standard', { provider: 'codex' }, { model: 'opus' }, {}, undefined],
      ['no other provider that a label names', {}, { model: 'opus' }, { asked: 'codex' }, undefined],
      ['whoever is asked, if it is the playbook’s', { model: 'opus' }, {}, { asked: 'codex' }, 'opus'],
    ],
  )('take a model for %s', (_, playbook, repository, around, model) => {
    expect(settle(playbook, [level(repository)], { ...NOBODY, ...around }).settings.model).toBe(model);
  });

  it('remember a file whose newest version is broken, though nothing came from it', () => {
    const first = { line: 3, column: 1, message: 'm', fix: 'f' };
    const broken: Defaults = { ...level({}), blob: undefined, problems: [first, first] };
    expect(settle({}, [broken], NOBODY).used).toEqual([
      { level: 'repository', repository: 'acme/web', settings: [], broken: { count: 2, first } },
    ]);
  });
});
