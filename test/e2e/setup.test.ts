import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../setup/require.ts';
import type { Place, SettledRun } from './place.ts';
import { useHarness } from './suite.ts';

/** Leaves a dependency as `npm ci` does, a change of a file of the repository, and something in the cache. */
const SETUP =
  'test ! -e node_modules && mkdir node_modules && date +%N > node_modules/stamp && echo changed >> README.md && mkdir -p "$npm_config_cache" && cp node_modules/stamp "$npm_config_cache/"';

/** Passes where the setup has been done, on a working copy that holds nothing else of it. */
const VERIFY = 'cmp node_modules/stamp "$npm_config_cache/stamp" && grep -qvx changed README.md && test -z "$TOKEN"';

function playbook(write: string, { tasks = 2, setup = SETUP } = {}): string {
  const lines = ['One', 'Two']
    .slice(0, tasks)
    .map((title) => `- [ ] ${title} \`scripted: write ${write}-${title}.txt 1\`\n`);
  return `---\nsetup: ${JSON.stringify(setup)}\nverify: ${JSON.stringify(VERIFY)}\n---\n${lines.join('')}`;
}

describe('a setup on this machine', () => {
  const suite = useHarness({ runner: 'local' });

  it('is there for every task and in no commit', async () => {
    const place = await suite.place({ files: { 'README.md': '# Demo\n' } });
    await place.pushPlaybook('a.md', playbook('a'));
    const run = await place.settledRun();
    expect(outcomes(run)).toEqual(['committed', 'committed']);
    expect(await changed(place, run)).toEqual(['.maestro/playbooks/a.md', 'a-One.txt', 'a-Two.txt']);
    const [session] = await suite.harness().store.sessionsOf(run.id);
    expect(readFileSync(session?.log ?? '', 'utf8')).toContain('"detail":"setup of the playbook: exited 0');
  });

  it('that fails ends the run, which names the command and shows what it said', async () => {
    const place = await suite.place();
    const text =
      '---\nsetup: [echo fine, "echo no such package; exit 7"]\non-failure: continue\n---\n- [ ] One\n- [ ] Two\n';
    await place.pushPlaybook('a.md', text);
    const run = await place.settledRun();
    expect(run.state).toBe('failed');
    expect(outcomes(run)).toEqual(['failed', undefined]);
    expect(run.tasks[0]?.outcome).toMatchObject({
      failure: {
        kind: 'setup',
        message:
          'The setup of this repository failed: exit code 7 in `echo no such package; exit 7` (setup of the playbook).',
        detail: '$ echo fine\nfine\n$ echo no such package; exit 7\nno such package',
      },
    });
  });
});

describeWith('agentImage', 'a setup in a container', () => {
  const suite = useHarness({ runner: 'docker' });

  it('is done once for two runs at once, again only when a lockfile changes, and reaches no host but its own', async () => {
    const place = await suite.place({ files: { 'README.md': '# Demo\n', 'package-lock.json': '{}\n' } });
    await place.pushPlaybook('a.md', of('a'));
    await place.pushPlaybook('b.md', of('b'));
    const [first] = await place.settledRuns(2);
    expect(setups(await place.runs())).toBe(1);
    expect((await place.pulls()).some(({ body }) => body.includes('`example.com`: 1'))).toBe(true);
    expect(first && (await changed(place, first))).toEqual(['.maestro/playbooks/a.md', 'a-One.txt']);
    await place.push('README.md', '# Another\n');
    await place.pushPlaybook('c.md', of('c'));
    await place.settledRuns(3);
    expect(setups(await place.runs())).toBe(1);
    await place.push('package-lock.json', '{ "changed": true }\n');
    await place.pushPlaybook('d.md', of('d'));
    const runs = await place.settledRuns(4);
    expect(runs.map(({ state }) => state)).toEqual(['succeeded', 'succeeded', 'succeeded', 'succeeded']);
    expect(setups(runs)).toBe(2);
  });

  function setups(runs: readonly { readonly id: string }[]): number {
    return suite
      .harness()
      .log.filter((line) => line.includes('"msg":"setting up"') && runs.some(({ id }) => line.includes(id))).length;
  }
});

const of = (write: string): string => playbook(write, { tasks: 1, setup: `${REFUSED} && ${SETUP}` });

/** Succeeds when the gateway refuses a connection. */
const REFUSED = `node -e "require('http').request({host:'127.0.0.1',port:3128,method:'CONNECT',path:'example.com:443'}).on('connect',(r)=>process.exit(r.statusCode===403?0:1)).end()"`;

function outcomes(run: SettledRun | undefined): readonly (string | undefined)[] {
  return run?.tasks.map(({ outcome }) => outcome?.kind) ?? [];
}

async function changed(place: Place, run: SettledRun): Promise<readonly string[]> {
  await place.branches();
  return (await place.git('diff', '--name-only', run.base.sha, run.branch)).trim().split('\n');
}
