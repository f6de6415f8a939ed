import { createHash, randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InfrastructureError, type Runner } from '../../../src/runners/runner.ts';
import * as h from './harness.ts';

/** What every runner does. Call inside a `describe`. */
export function runnerContract(install: h.Install): void {
  let installation: h.Installation;
  let runner: Runner;

  beforeEach(async () => {
    installation = await install();
    runner = installation.runner();
  });
  afterEach(async () => {
    await runner.close();
    await installation.remove();
  });

  it('says what it is, and that it is ready', async () => {
    const facts = await runner.check();
    expect(facts.engine).not.toBe('');
    expect(runner.isolation).toMatch(runner.name === 'local' ? /^NO ISOLATION/ : /no network/);
  });

  it('feeds standard input, closes it, and keeps stdout and stderr apart', async () => {
    const argv = h.sh('cat; echo oops >&2; echo bye');
    const told = await h.ask(runner, { argv, lane: h.laneOf(installation), stdin: 'hello\nwörld\n' });
    expect(told).toMatchObject({ ending: 'exited', code: 0, stdout: 'hello\nwörld\nbye\n', stderr: 'oops\n' });
  });

  it('tells exit codes: its own, of a signal, of a command that is not there', async () => {
    const lane = h.laneOf(installation);
    const [own, killed, missing] = await Promise.all([
      h.ask(runner, { argv: h.sh('exit 7'), lane }),
      h.ask(runner, { argv: h.sh('kill -9 $$'), lane: h.laneOf(installation) }),
      h.ask(runner, { argv: ['no-such-command-anywhere'], lane: h.laneOf(installation) }),
    ]);
    expect([own, killed, missing].map(({ ending, code }) => [ending, code])).toEqual([
      ['exited', 7],
      ['exited', 137],
      ['exited', 127],
    ]);
  });

  it('passes 10 MB of input and output on, byte for byte', async () => {
    const stdin = randomBytes(5_000_000).toString('hex');
    const hash = createHash('sha256');
    const stdout = new Writable({
      write(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        done();
      },
    });
    const told = await h.ask(runner, { argv: ['cat'], lane: h.laneOf(installation), stdin, stdout });
    expect(told).toMatchObject({ ending: 'exited', code: 0 });
    expect(hash.digest('hex')).toBe(createHash('sha256').update(stdin).digest('hex'));
  });

  it('loses no output of a command that does not read its input', async () => {
    const argv = h.sh('seq 1 20000; echo end');
    const told = await h.ask(runner, { argv, lane: h.laneOf(installation), stdin: 'x'.repeat(10_000_000) });
    expect(told).toMatchObject({ ending: 'exited', code: 0 });
    expect(told.stdout.split('\n')).toHaveLength(20_002);
  });

  it("gives a command the job's environment and nothing of ours", async () => {
    process.env['MAESTRO_TEST_CANARY'] = 'canary-of-the-host';
    try {
      const env = { TOKEN: 'placeholder', ANSWER: '42' };
      const told = await h.ask(runner, { argv: ['env'], lane: h.laneOf(installation), env });
      const names = told.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('=', 1)[0]);
      const shells = ['PWD'];
      const allowed = [
        'PATH',
        'HOME',
        'LANG',
        'TOKEN',
        'ANSWER',
        ...shells,
        ...(runner.name === 'local' ? ['MAESTRO_JOB'] : []),
      ];
      expect(allowed).toEqual(expect.arrayContaining(names));
      expect(names).toEqual(expect.arrayContaining(['PATH', 'HOME', 'LANG', 'TOKEN', 'ANSWER']));
      expect(told.stdout).not.toContain('canary');
    } finally {
      delete process.env['MAESTRO_TEST_CANARY'];
    }
  });

  it('puts files into a HOME that is fresh for every job', async () => {
    const lane = h.laneOf(installation);
    const files = { '.config/agent/settings.json': '{"a":"ü"}', 'hook.sh': '#!/bin/sh\necho hooked\n' };
    const argv = h.sh('cat "$HOME/.config/agent/settings.json"; "$HOME/hook.sh"; touch "$HOME/kept"; cat');
    const first = await h.ask(runner, { argv, lane, files, stdin: 'and stdin' });
    expect(first).toMatchObject({ code: 0, stdout: '{"a":"ü"}hooked\nand stdin' });
    const second = await h.ask(runner, { argv: h.sh('ls -A "$HOME"'), lane });
    expect(second).toMatchObject({ code: 0, stdout: '' });
  });

  it('refuses files that would leave HOME', async () => {
    const job = { argv: ['true'], lane: h.laneOf(installation), files: { '../escape': '' } };
    await expect(h.ask(runner, job)).rejects.toThrow(/relative path/);
  });

  it("keeps a lane between jobs, and starts them in its working copy once that's there", async () => {
    const lane = h.laneOf(installation);
    const { repo } = runner.inside(lane);
    const first = await h.ask(runner, { argv: h.sh(`mkdir ${repo} && echo mine > ${repo}/file`), lane });
    const second = await h.ask(runner, { argv: h.sh('pwd; cat file'), lane });
    expect(first.code).toBe(0);
    expect(second).toMatchObject({ code: 0, stdout: `${repo}\nmine\n` });
  });

  it('keeps lanes apart, lists them, and removes them whatever is on them', async () => {
    const [one, two] = [h.laneOf(installation, 'one'), h.laneOf(installation, 'two')];
    await Promise.all([runner.ensureLane(one), runner.ensureLane(two)]);
    await runner.ensureLane(one);
    const { repo } = runner.inside(one);
    const argv = h.sh(
      `mkdir -p ${repo}/deep && echo secret > ${repo}/deep/file && chmod 0400 ${repo}/deep/file && chmod 0500 ${repo}/deep`,
    );
    await h.ask(runner, { argv, lane: one });
    const other = await h.ask(runner, { argv: h.sh(`ls -R ${runner.inside(two).repo}; find . | wc -l`), lane: two });
    expect(other.stdout).toBe('1\n');
    expect([...(await runner.listLanes())].sort()).toEqual(['one', 'two']);
    await runner.removeLane(one);
    await runner.removeLane(one);
    expect(await runner.listLanes()).toEqual(['two']);
    const again = await h.ask(runner, { argv: h.sh('find . | wc -l'), lane: one });
    expect(again.stdout).toBe('1\n');
  });

  it('ends a job that is silent for too long', async () => {
    const limits = { idleMs: 1_500, wallMs: 60_000 };
    const argv = h.sh('for i in 1 2 3 4; do echo $i; sleep 0.6; done; sleep 60');
    const told = await h.ask(runner, { argv, lane: h.laneOf(installation), limits });
    expect(told).toMatchObject({ ending: 'idle', stdout: '1\n2\n3\n4\n' });
    expect(told.durationMs).toBeGreaterThan(3_000);
  });

  it('ends a job that takes too long, however much it talks', async () => {
    const limits = { idleMs: 1_500, wallMs: 2_000 };
    const argv = h.sh('while :; do echo still; sleep 0.1; done');
    const told = await h.ask(runner, { argv, lane: h.laneOf(installation), limits });
    expect(told.ending).toBe('wall');
    expect(told.code).toBeGreaterThan(128);
  });

  it('ends a job that prints too much, and passes on no more than allowed', async () => {
    const told = await h.ask(runner, { argv: ['yes'], lane: h.laneOf(installation), limits: { outputBytes: 100_001 } });
    expect(told.ending).toBe('output');
    expect(told.stdout.length).toBe(100_001);
  });

  it('ends a job when told to, also before it starts', async () => {
    const abort = new AbortController();
    const { sink, seen } = h.waitingFor('up');
    const lane = h.laneOf(installation);
    const running = h.ask(runner, { argv: h.sh('echo up; sleep 60'), lane, stdout: sink, signal: abort.signal });
    await seen;
    abort.abort();
    expect(await running).toMatchObject({ ending: 'aborted' });
    const early = await h.ask(runner, { argv: h.sh('echo up'), lane, signal: AbortSignal.abort() });
    expect(early).toMatchObject({ ending: 'aborted', stdout: '' });
  });

  it.each(['ends by itself', 'is ended'])(
    'leaves no process of an agent that ignores SIGTERM and makes daemons, when it %s',
    async (how) => {
      const seconds = h.oddSeconds();
      const daemons = `trap '' TERM HUP; setsid nohup sleep ${seconds} >/dev/null 2>&1 & (setsid sh -c 'trap "" TERM; sleep ${seconds}' &)`;
      const { sink, seen } = h.waitingFor('up');
      const abort = new AbortController();
      const argv = h.sh(`${daemons}; echo up; read line; ${how === 'is ended' ? `sleep ${seconds}` : 'sleep 1'}`);
      const running = h.ask(runner, {
        argv,
        lane: h.laneOf(installation),
        stdin: 'go\n',
        stdout: sink,
        signal: abort.signal,
      });
      await seen;
      // The control: they are there, and this is how they are found.
      expect((await h.untilProcesses(`sleep ${seconds}`, true)).length).toBeGreaterThan(0);
      if (how === 'is ended') abort.abort();
      expect((await running).ending).toBe(how === 'is ended' ? 'aborted' : 'exited');
      expect(await h.processesWith(`sleep ${seconds}`)).toEqual([]);
    },
  );

  it('holds a job back for a slow reader instead of filling memory', async () => {
    let bytes = 0;
    let peak = 0;
    const before = process.memoryUsage().rss;
    const slow = new Writable({
      highWaterMark: 64 * 1024,
      write(chunk: Buffer, _encoding, done) {
        const wasAt = Math.floor(bytes / 2_000_000);
        bytes += chunk.length;
        if (Math.floor(bytes / 2_000_000) === wasAt) return done();
        peak = Math.max(peak, process.memoryUsage().rss);
        setTimeout(done, 15);
      },
    });
    const argv = ['head', '-c', '200000000', '/dev/zero'];
    const told = await h.ask(runner, { argv, lane: h.laneOf(installation), stdout: slow });
    expect(told).toMatchObject({ ending: 'exited', code: 0 });
    expect(bytes).toBe(200_000_000);
    expect((peak - before) / 1e6).toBeLessThan(100);
  });

  it('does not take a slow reader for a silent job', async () => {
    const asleep = new Writable({
      highWaterMark: 1024,
      write(_chunk, _encoding, done) {
        setTimeout(done, 2_500);
      },
    });
    const argv = h.sh('head -c 30000 /dev/zero; sleep 0.2; echo end');
    const told = await h.ask(runner, { argv, lane: h.laneOf(installation), stdout: asleep, limits: { idleMs: 1_500 } });
    expect(told).toMatchObject({ ending: 'exited', code: 0 });
  });

  it('ends the job and says so when its output has nowhere to go', async () => {
    const seconds = h.oddSeconds();
    const broken = new Writable({
      write(_chunk, _encoding, done) {
        done(new Error('disk full'));
      },
    });
    broken.on('error', () => {});
    const argv = h.sh(`while :; do echo line; sleep 0.05; done & sleep ${seconds}`);
    const running = h.ask(runner, { argv, lane: h.laneOf(installation), stdout: broken });
    await expect(running).rejects.toThrow(InfrastructureError);
    await expect(running).rejects.toThrow(/disk full/);
    expect(await h.processesWith(`sleep ${seconds}`)).toEqual([]);
  });

  it('replaces what an earlier try of the same name left', async () => {
    const name = h.randomName('job');
    const seconds = h.oddSeconds();
    const lane = h.laneOf(installation);
    const { sink, seen } = h.waitingFor('up');
    const lost = h.ask(runner, { argv: h.sh(`echo up; sleep ${seconds}`), lane, name, stdout: sink });
    const lostEnd = lost.catch((error: unknown) => error);
    await seen;
    const later = installation.runner();
    const told = await h.ask(later, { argv: h.sh('echo again'), lane, name });
    expect(told).toMatchObject({ ending: 'exited', code: 0, stdout: 'again\n' });
    expect(await h.processesWith(`sleep ${seconds}`)).toEqual([]);
    await lostEnd;
  });

  describe('a keeper', () => {
    it('passes on what an errand prints, byte for byte, and how it ended', async () => {
      const lane = h.laneOf(installation);
      const hash = createHash('sha256');
      const stdout = new Writable({
        write(chunk: Buffer, _encoding, done) {
          hash.update(chunk);
          done();
        },
      });
      const bytes = randomBytes(100_000).toString('base64').replaceAll('\n', '');
      const argv = [
        'sh',
        '-c',
        'for i in 1 2 3 4 5 6 7 8; do printf %s "$1"; done; printf "no newline" >&2; exit 3',
        'x',
        bytes.slice(0, 100_000),
      ];
      expect(await h.tend(runner, { argv, lane, stdout })).toMatchObject({
        ending: 'exited',
        code: 3,
        stderr: 'no newline',
      });
      expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes.slice(0, 100_000).repeat(8)).digest('hex'));
      const quiet = await h.tend(runner, { argv: ['true'], lane });
      expect(quiet).toMatchObject({ ending: 'exited', code: 0, stdout: '', stderr: '' });
      const missing = await h.tend(runner, { argv: ['no-such-command-anywhere'], lane });
      expect(missing).toMatchObject({ ending: 'exited', code: 127 });
    });

    it('sees the lane, and keeps what no job sees until it is released', async () => {
      const lane = h.laneOf(installation);
      const { repo, keep } = runner.inside(lane);
      const script = `mkdir -p ${repo} ${keep} && echo kept > ${keep}/note && echo seen > ${repo}/file`;
      expect(await h.tend(runner, { argv: h.sh(script), lane })).toMatchObject({ code: 0 });
      const job = await h.ask(runner, { argv: h.sh(`cat ${repo}/file; echo more > ${repo}/file`), lane });
      expect(job.stdout).toBe('seen\n');
      const later = await h.tend(runner, { argv: h.sh(`cat ${keep}/note ${repo}/file`), lane });
      expect(later).toMatchObject({ code: 0, stdout: 'kept\nmore\n' });
      await runner.release(lane);
      const after = await h.tend(runner, { argv: h.sh(`cat ${repo}/file; ls -A ${keep}`), lane });
      expect(after.stdout).toBe('more\n');
    });

    it('does errands one after another', async () => {
      const lane = h.laneOf(installation);
      const argv = h.sh('date +%s%N; sleep 0.2; date +%s%N');
      const done = await Promise.all([h.tend(runner, { argv, lane }), h.tend(runner, { argv, lane })]);
      const spans = done.map(({ stdout }) => stdout.trim().split('\n').map(BigInt));
      const [first, second] = spans.toSorted(([a = 0n], [b = 0n]) => (a < b ? -1 : 1));
      expect(second?.[0]).toBeGreaterThan(first?.[1] ?? 0n);
    });

    it.each(['is silent', 'takes too long', 'prints too much', 'is aborted'])(
      'ends an errand that %s, and does the next in a new keeper',
      async (how) => {
        const lane = h.laneOf(installation);
        const seconds = h.oddSeconds();
        const abort = new AbortController();
        const { sink, seen } = h.waitingFor('up');
        const limits = {
          'is silent': { idleMs: 600 },
          'takes too long': { wallMs: 900 },
          'prints too much': { outputBytes: 1_000 },
          'is aborted': {},
        }[how];
        const work = how === 'prints too much' ? 'sleep 0.3; yes' : `sleep ${seconds}`;
        const running = h.tend(runner, {
          argv: h.sh(`echo up; ${work}`),
          lane,
          stdout: sink,
          signal: abort.signal,
          ...(limits === undefined ? {} : { limits }),
        });
        await seen;
        if (how === 'is aborted') abort.abort();
        expect((await running).ending).toBe(
          { 'is silent': 'idle', 'takes too long': 'wall', 'prints too much': 'output' }[how] ?? 'aborted',
        );
        expect(await h.processesWith(`sleep ${seconds}`)).toEqual([]);
        expect(await h.tend(runner, { argv: h.sh('echo again'), lane })).toMatchObject({ code: 0, stdout: 'again\n' });
      },
    );

    it('does nothing for an errand that is aborted before it begins', async () => {
      const what = { argv: h.sh('echo up'), lane: h.laneOf(installation), signal: AbortSignal.abort() };
      expect(await h.tend(runner, what)).toMatchObject({ ending: 'aborted', stdout: '' });
    });

    it('is replaced for a new owner, and by another process', async () => {
      const lane = h.laneOf(installation);
      const { keep } = runner.inside(lane);
      await h.tend(runner, { argv: h.sh('true'), lane });
      const later = installation.runner();
      expect(await h.tend(later, { argv: h.sh('echo mine'), lane, owner: h.owner(2) })).toMatchObject({
        stdout: 'mine\n',
      });
      expect(await h.tend(later, { argv: h.sh(`ls -A ${keep}; echo again`), lane, owner: h.owner(3) })).toMatchObject({
        stdout: 'again\n',
      });
    });
  });

  describe('a seat', () => {
    it('is taken by the job it was made for, whose command comes with it', async () => {
      const lane = h.laneOf(installation);
      const name = h.randomName('job');
      await runner.seat({ name, lane, owner: h.owner(), limits: h.GENEROUS });
      const { repo } = runner.inside(lane);
      await h.tend(runner, { argv: h.sh(`mkdir -p ${repo}`), lane });
      const job = {
        argv: h.sh('pwd; cat; printf %s "$A"; cat "$HOME/f"'),
        lane,
        name,
        env: { A: 'b' },
        files: { f: 'file' },
      };
      const told = await h.ask(runner, { ...job, stdin: 'in\n' });
      expect(told).toMatchObject({ ending: 'exited', code: 0, stdout: `${repo}\nin\nbfile` });
    });

    it('is not taken by a job that needs another, and goes when the lane is released', async () => {
      const lane = h.laneOf(installation);
      const name = h.randomName('job');
      const place = { name, lane, owner: h.owner(), limits: h.GENEROUS };
      await runner.seat(place);
      await runner.seat({ ...place, name: `${name}-unused` });
      const told = await h.ask(runner, { argv: h.sh('echo fine'), lane, name, owner: h.owner(2) });
      expect(told).toMatchObject({ code: 0, stdout: 'fine\n' });
      await runner.release(lane);
      expect(await installation.runner().reap(() => false)).toEqual([]);
    });
  });

  it('reaps what nobody vouches for, and nothing else', async () => {
    const stranger = await install();
    const abort = new AbortController();
    try {
      const start = async (from: h.Installation, name: string, epoch: number): Promise<() => Promise<unknown>> => {
        const { sink, seen } = h.waitingFor('up');
        const what = {
          argv: h.sh('echo up; sleep 60'),
          lane: h.laneOf(from),
          name,
          owner: h.owner(epoch),
          stdout: sink,
        };
        const started = from.runner();
        const end = h.ask(started, { ...what, signal: abort.signal }).catch((error: unknown) => error);
        await seen;
        return async () => {
          const told = await end;
          await started.release(what.lane);
          return told;
        };
      };
      const [old, current, foreign] = await Promise.all([
        start(installation, 'old', 1),
        start(installation, 'current', 2),
        start(stranger, 'foreign', 1),
      ]);
      expect(await installation.runner().reap(({ runId, epoch }) => runId === h.owner().runId && epoch === 2)).toEqual([
        'old',
      ]);
      await old();
      const alive = await Promise.race([Promise.all([current(), foreign()]), delay(300, 'alive')]);
      expect(alive).toBe('alive');
      abort.abort();
      expect(await Promise.all([current(), foreign()])).toMatchObject([{ ending: 'aborted' }, { ending: 'aborted' }]);
      expect(await installation.runner().reap(() => false)).toEqual([]);
    } finally {
      abort.abort();
      await stranger.remove();
    }
  });
}
