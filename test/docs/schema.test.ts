import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { parseSettingsFile, settingsFileSchema } from '../../src/playbook/settings-file.ts';

const DOCS = join(import.meta.dirname, '../../docs');
const published: unknown = JSON.parse(readFileSync(join(DOCS, 'maestro.schema.json'), 'utf8'));

describe('the published schema of .github/maestro.yml', () => {
  it('is what the program goes by (`node scripts/schema.ts` writes it)', () => {
    expect(published).toEqual(settingsFileSchema());
  });

  it('takes the example of the documentation, as the program does', () => {
    const page = readFileSync(join(DOCS, 'playbooks.md'), 'utf8');
    const example = /```yaml\n(# yaml-language-server[\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(parseSettingsFile(example)).toMatchObject({ problems: [] });
    expect(Object.keys(parseSettingsFile(example).settings).length).toBeGreaterThan(3);
    expect(check(parse(example))).toEqual([]);
  });

  it.each([
    ['verfiy: npm test', 'must NOT have additional properties'],
    ['effort: huge', 'must be equal to one of the allowed values'],
    ['timeout: soon', 'must match pattern'],
    ['schedule: "0 6 * * 1"', 'must NOT have additional properties'],
  ])('refuses what the program refuses: %j', (text, words) => {
    expect(check(parse(text)).join()).toContain(words);
    expect(parseSettingsFile(text).problems).not.toEqual([]);
  });
});

function check(value: unknown): readonly string[] {
  const validate = new Ajv2020({ strict: false, allErrors: true }).compile(published as object);
  validate(value);
  return (validate.errors ?? []).map(({ message = '' }) => message);
}
