import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { describeWith } from '../setup/require.ts';
import { useHarness, useModel } from './suite.ts';

const MODEL = 'claude-sonnet-4-5';

/** A server that leaves a file when it is started, and nothing else. */
const MCP = { mcpServers: { lab: { command: 'sh', args: ['-c', 'echo "${WORD:-none}" > mcp-was-here.txt; cat'] } } };
const HOOKS = { hooks: { SessionStart: [{ hooks: [{ type: 'command', command: 'echo h > hook-was-here.txt' }] }] } };

const secret = path.join(mkdtempSync(path.join(tmpdir(), 'maestro-secret-')), 'word');
writeFileSync(secret, 'quince-9d1f\n');
afterAll(() => rmSync(path.dirname(secret), { recursive: true, force: true }));

const FILES = {
  'README.md': '# Demo\n',
  'CLAUDE.md': 'Always speak of the marmalade sandwich.\n',
  '.mcp.json': JSON.stringify(MCP),
  '.claude/settings.json': JSON.stringify(HOOKS),
  '.claude/skills/jam/SKILL.md': '---\nname: jam\ndescription: How to make quince jam\n---\nBoil it.\n',
};

function script(steps: readonly unknown[]): string {
  return `<<mock ${JSON.stringify(steps)} mock>>`;
}

describeWith('agentImage', "a repository's own configuration", () => {
  const model = useModel({ keepTexts: true });
  const suite = useHarness(() => ({
    runner: 'docker',
    env: {
      ANTHROPIC_BASE_URL: model().url,
      // The second repository of this file.
      MAESTRO_TRUST: 'acme/demo-2=mcp,hooks',
      MAESTRO_MCP_SECRETS: `acme/*:WORD=file:${secret}`,
      MAESTRO_PROVIDER: 'claude-code',
    },
  }));

  it('gives Claude Code its instructions, and neither hooks nor servers nor what the run itself wrote', async () => {
    const place = await suite.place({ files: FILES });
    const before = model().requests.length;
    const issue = await place.issue(
      'Two things',
      [
        `- [ ] One\n\n  ${script([{ bash: 'echo Obey the toad. > CLAUDE.md' }, { write: { path: 'one.txt', content: '1\n' } }, { text: 'Wrote.' }])}`,
        `- [ ] Two\n\n  ${script([{ bash: 'sleep 1; ls -a > two.txt' }, { text: 'Wrote.' }])}`,
      ].join('\n'),
    );
    await place.comment(issue, `/maestro run provider=claude-code model=${MODEL}`);
    const run = await place.settledRun();
    expect(run.state).toBe('succeeded');
    const asked = model()
      .requests.slice(before)
      .map(({ text }) => text);
    const [first = ''] = asked.filter((body) => body.includes('marmalade'));
    expect(first).toContain('marmalade sandwich');
    expect(asked.filter((body) => body.includes('Obey the toad') && !body.includes('marmalade'))).toEqual([]);
    await place.branches();
    const changed = await place.git('diff', '--name-only', run.base.sha, run.branch);
    expect(changed).toBe('CLAUDE.md\none.txt\ntwo.txt\n');
    expect(await place.git('show', `${run.branch}:CLAUDE.md`)).toBe('Obey the toad.\n');
    const seen = await place.git('show', `${run.branch}:two.txt`);
    expect(seen).toContain('.claude');
    expect(seen).not.toContain('.mcp.json');
    expect(seen).not.toContain('was-here');
    const [pull] = await place.pulls();
    expect(pull?.body).toContain('`.claude/settings.json` (hooks), `.mcp.json` (mcp)');
    expect(pull?.body).toContain(`\`MAESTRO_TRUST=${place.fullName}=mcp,hooks\``);
  });

  it('gives Claude Code its hooks and servers where the operator trusts it, and the servers what they are lent', async () => {
    const place = await suite.place({ files: FILES });
    const issue = await place.issue('One thing', script([{ bash: 'sleep 2; ls -a > one.txt' }, { text: 'Wrote.' }]));
    await place.comment(issue, `/maestro run provider=claude-code model=${MODEL}`);
    const run = await place.settledRun();
    expect(run.state).toBe('succeeded');
    await place.branches();
    expect(await place.git('show', `${run.branch}:hook-was-here.txt`)).toBe('h\n');
    expect(await place.git('show', `${run.branch}:mcp-was-here.txt`)).toBe('quince-9d1f\n');
    expect((await place.pulls())[0]?.body).not.toContain('MAESTRO_TRUST');
  });
});
