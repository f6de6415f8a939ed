import { cp, mkdtemp, mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discover } from '../../src/cli/sessions/discover.ts';
import { importCommand } from '../../src/cli/sessions/import.ts';
import { sessionsCommand } from '../../src/cli/sessions/list.ts';
import { createProviders } from '../../src/providers/registry.ts';
import { createDiskShelf } from '../../src/sessions/disk-shelf.ts';
import type { Shelf } from '../../src/sessions/shelf.ts';
import { createLog } from '../../src/telemetry/log.ts';

const DESK = path.join(import.meta.dirname, '../fixtures/desk');
const PROVIDERS = Object.values(createProviders({ scriptedAgent: '' }));
const ONE = '11111111-1111-4111-8111-11111111111';
const CODEX = '01a205fa-c85e-7182-8c0c-35dca2fd06e';

let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'maestro-desk-'));
  await cp(DESK, home, { recursive: true });
  openOpencode(path.join(home, '.local/share/opencode/opencode.db'));
});
afterAll(async () => await rm(home, { recursive: true, force: true }));

/** The tables of 1.18.33 that matter, with the columns that do. */
function openOpencode(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE session (id text PRIMARY KEY, parent_id text, directory text, title text, time_updated integer);
    CREATE TABLE message (id text PRIMARY KEY, session_id text, time_created integer, data text);
    CREATE TABLE part (id text PRIMARY KEY, message_id text, session_id text, data text);
    INSERT INTO session VALUES ('ses_db', NULL, '/home/ada/shop', 'New session', 1795396842267), ('ses_part', 'ses_db', '', '', 1);
    INSERT INTO message VALUES ('m1', 'ses_db', 1, '{"role":"user"}'), ('m2', 'ses_db', 2, '{"role":"assistant"}');
    INSERT INTO part VALUES ('p1', 'm1', 'ses_db', '{"type":"text","text":"Tune the flutes"}'),
      ('p2', 'm2', 'ses_db', '{"type":"text","text":"Done"}');`);
  database.close();
}

describe('conversations of a desk', () => {
  it('are found in every layout there has been, with whose words they begin', async () => {
    const { conversations } = await discover({ directory: home }, PROVIDERS);
    const found = conversations.map(({ provider, id, cwd, repository, words }) => [
      provider,
      id,
      cwd,
      repository,
      words,
    ]);
    const shop = '/home/ada/shop';
    expect(new Set(found)).toEqual(
      new Set([
        ['claude-code', `${ONE}a`, shop, undefined, 'Tune the violins and the cellos'],
        ['claude-code', `${ONE}b`, '/home/ada/old', undefined, 'Mend the old one'],
        ['claude-code', `${ONE}c`, '/home/ada/xdg', undefined, 'From the other place'],
        ['codex', `${CODEX}a`, shop, 'acme/shop', 'Tune the horns'],
        ['codex', `${CODEX}b`, shop, 'acme/shop', 'Said in 2025'],
        ['codex', `${CODEX}c`, undefined, undefined, 'Bare lines'],
        ['codex', `${CODEX}d`, undefined, undefined, 'One document'],
        ['opencode', 'ses_db', shop, undefined, 'Tune the flutes'],
        ['opencode', 'ses_aaaa', shop, undefined, 'A tree of files'],
        ['opencode', 'ses_bbbb', undefined, undefined, 'The first layout'],
        ['factory-droid', `${ONE}f`, shop, undefined, 'Tune the drums'],
        ['factory-droid', `${ONE}0`, undefined, undefined, 'All in one directory'],
        ['copilot', `${ONE}1`, shop, 'acme/shop', 'Tune the harp'],
        ['copilot', `${ONE}2`, undefined, undefined, 'One file each'],
        ['copilot', `${ONE}3`, undefined, undefined, 'The first Copilot'],
        ['gemini', '0849f3d7-a6b4-409d-b10c-2de7963e7280', shop, undefined, 'Tune the organ'],
        ['gemini', '1849f3d7-a6b4-409d-b10c-2de7963e7280', undefined, undefined, 'A hash for a name'],
      ]),
    );
  });

  it('that are damaged are told and keep no other from being found', async () => {
    const { problems } = await discover({ directory: home }, PROVIDERS);
    expect(new Set(problems.map(({ file, message }) => [path.basename(file), message]))).toEqual(
      new Set([
        [`${ONE}d.jsonl`, 'nothing in it can be read'],
        [`${ONE}e.jsonl`, 'it is empty'],
      ]),
    );
    const broken = await mkdtemp(path.join(tmpdir(), 'maestro-desk-'));
    await mkdir(path.join(broken, '.local/share/opencode'), { recursive: true });
    await writeFile(path.join(broken, '.local/share/opencode/opencode.db'), 'no database');
    expect(await discover({ directory: broken }, PROVIDERS)).toMatchObject({
      conversations: [],
      problems: [{ message: expect.stringContaining('not a database') }],
    });
    expect(await discover({ directory: path.join(broken, 'nowhere') }, PROVIDERS)).toEqual({
      conversations: [],
      problems: [],
    });
    await rm(broken, { recursive: true });
  });

  it('of any size are read at their beginning only', async () => {
    const desk = await mkdtemp(path.join(tmpdir(), 'maestro-desk-'));
    const file = path.join(desk, '.claude/projects/-x', `${ONE}a.jsonl`);
    await mkdir(path.dirname(file), { recursive: true });
    await cp(path.join(DESK, '.claude/projects/-home-ada-shop', `${ONE}a.jsonl`), file);
    await using handle = await open(file, 'r+');
    await handle.truncate(20 * 1024 ** 3);
    const { conversations } = await discover({ directory: desk }, PROVIDERS);
    expect(conversations).toMatchObject([
      { id: `${ONE}a`, bytes: 20 * 1024 ** 3, words: 'Tune the violins and the cellos' },
    ]);
    await rm(desk, { recursive: true });
  });

  it('are found where a CLI was told to keep them', async () => {
    const nowhere = path.join(home, 'nowhere');
    const { conversations } = await discover(
      { directory: nowhere, moved: { '.codex': path.join(home, '.codex') } },
      PROVIDERS,
    );
    expect(conversations.map(({ provider }) => provider)).toEqual(['codex', 'codex', 'codex', 'codex']);
  });

  it('tell their repository by the working copy they were held in, without what signs in', async () => {
    const copy = path.join(home, 'copy');
    await mkdir(path.join(copy, '.git'), { recursive: true });
    await mkdir(path.join(copy, 'deep'));
    await writeFile(
      path.join(copy, '.git/config'),
      '[core]\n\tbare = false\n[remote "origin"]\n\turl = https://u:secret@github.com/acme/copy.git\n',
    );
    const file = path.join(home, '.claude/projects/-copy', `${ONE}9.jsonl`);
    await mkdir(path.dirname(file));
    const line = {
      type: 'user',
      cwd: path.join(copy, 'deep'),
      sessionId: `${ONE}9`,
      message: { role: 'user', content: 'x' },
    };
    await writeFile(file, `${JSON.stringify(line)}\n`);
    const { conversations } = await discover({ directory: home }, PROVIDERS);
    expect(conversations.find(({ id }) => id === `${ONE}9`)?.repository).toBe('acme/copy');
    await rm(file);
  });
});

function listing(
  options: Partial<Parameters<typeof sessionsCommand>[0]> = {},
): Promise<{ out: string; error: string }> {
  const said = { out: '', error: '' };
  const write = {
    out: (text: string) => void (said.out += text),
    error: (text: string) => void (said.error += text),
  };
  const shelf = { list: async () => [] };
  const deps = {
    homes: [{ directory: home }],
    providers: PROVIDERS,
    shelf,
    json: false,
    limit: 0,
    write,
    ...options,
  };
  return sessionsCommand(deps).then(() => said);
}

describe('maestro sessions', () => {
  it('shows a table, newest first, of those asked for', async () => {
    const { out, error } = await listing({ provider: 'codex', repository: 'ACME/shop' });
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^TIME \(UTC\) +PROVIDER +WHERE +ID +REPOSITORY +SIZE +FIRST WORDS$/);
    expect(out).toMatch(new RegExp(`codex +desk +${CODEX}a +acme/shop +993 B +Tune the horns`));
    expect(error).toBe('');
    expect((await listing({ limit: 2 })).out).toContain('… and 15 more');
    expect((await listing()).error).toContain('it is empty');
  });

  it('prints JSON', async () => {
    const { out } = await listing({ json: true, provider: 'opencode' });
    expect(JSON.parse(out)).toMatchObject({
      sessions: expect.arrayContaining([
        expect.objectContaining({ id: 'ses_db', words: 'Tune the flutes', kept: null }),
      ]),
      problems: [],
    });
  });

  it('lets no words of anybody move the cursor', async () => {
    const file = path.join(home, '.copilot/session-state', `${ONE}8.jsonl`);
    const said = { type: 'user.message', data: { content: '\u001B[2J\u202Eevil\u0007' } };
    await writeFile(file, `${JSON.stringify(said)}\n`);
    const { out } = await listing({ provider: 'copilot' });
    expect(out).toContain('\uFFFD[2J\uFFFDevil\uFFFD');
    expect(out).not.toMatch(/[\u001B\u202E\u0007]/);
    await rm(file);
  });
});

describe('maestro sessions import', () => {
  let shelf: Shelf;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'maestro-import-'));
    const log = createLog({ level: 'silent' });
    shelf = createDiskShelf({ directory, secrets: () => [], mostBytes: 1e6, budgetBytes: 1e6, keepMs: 1e9, log });
  });
  afterAll(async () => await rm(directory, { recursive: true, force: true }));

  async function importing(id: string, repository?: string): Promise<{ code: number; out: string; error: string }> {
    const said = { out: '', error: '' };
    const write = {
      out: (text: string) => void (said.out += text),
      error: (text: string) => void (said.error += text),
    };
    const installed = { id: 7, owner: 'Acme', name: 'shop', installationId: 1, defaultBranch: 'main' };
    const repositories = async (): Promise<readonly (typeof installed)[]> => [installed];
    const homes = [{ directory: home }];
    const code = await importCommand({
      homes,
      providers: PROVIDERS,
      shelf,
      repositories,
      id,
      repository,
      now: 5,
      write,
    });
    return { code, ...said };
  }

  it.each([
    [
      'claude-code',
      `${ONE}a`,
      'acme/shop',
      [`./.claude/projects/-home-ada-shop/${ONE}a.jsonl`, 'subagents/agent-1.jsonl'],
    ],
    ['codex', `${CODEX}a`, undefined, [`./.codex/sessions/2026/11/23/rollout-2026-11-23T01-17-31-${CODEX}a.jsonl`]],
    ['copilot', `${ONE}1`, undefined, [`./.copilot/session-state/${ONE}1/events.jsonl`, 'workspace.yaml']],
  ] as const)('keeps all files of one of %s, and no others', async (provider, id, repository, files) => {
    expect(await importing(id, repository)).toEqual({
      code: 0,
      out: `Imported for Acme/shop: /maestro run resume=${id}\n`,
      error: '',
    });
    const kept = (await shelf.list(7)).find((one) => one.conversation === id);
    expect(kept).toMatchObject({ provider, imported: true, endedAt: 5, repository: { id: 7, name: 'Acme/shop' } });
    const { gunzipSync } = await import('node:zlib');
    const names = gunzipSync((await shelf.read(kept!))!)
      .toString('latin1')
      .match(/\.\/\.[!-~]+/g)!;
    const own = names.filter((name) => /^\.\/\.[a-z]+\/[a-z]/.test(name));
    expect(own).toHaveLength(files.length);
    for (const file of files) expect(own.some((name) => name.endsWith(file))).toBe(true);
  });

  it.each([
    ['there is none', 'nothing', undefined, 'There is no conversation nothing'],
    [
      'its CLI could not go on with it in a run',
      'ses_db',
      undefined,
      'OpenCode goes on with a conversation only in the directory',
    ],
    ['it tells no repository', `${ONE}b`, undefined, 'say it with --repository'],
    ['Maestro is not installed there', `${ONE}a`, 'acme/other', 'Maestro is not installed on acme/other'],
  ])('refuses when %s', async (_, id, repository, message) => {
    expect(await importing(id, repository)).toEqual({ code: 1, out: '', error: expect.stringContaining(message) });
  });

  it('changes nothing at the desk', async () => {
    const file = `.claude/projects/-home-ada-shop/${ONE}a.jsonl`;
    expect(await readFile(path.join(home, file), 'utf8')).toBe(await readFile(path.join(DESK, file), 'utf8'));
  });
});
