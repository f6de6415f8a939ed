import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { lineSink } from '../../src/workers/lines.ts';
import { SessionLog } from '../../src/workers/session-log.ts';

async function linesOf(chunks: readonly Buffer[], wait: (count: number) => Promise<void> | undefined) {
  const lines: string[] = [];
  let busy = false;
  const sink = lineSink((line) => {
    expect(busy).toBe(false);
    lines.push(line);
    const waiting = wait(lines.length);
    if (waiting === undefined) return undefined;
    busy = true;
    return waiting.then(() => {
      busy = false;
    });
  });
  for (const chunk of chunks) sink.write(chunk);
  sink.end();
  await finished(sink);
  return lines;
}

it('cuts the same lines however the bytes come, and whichever of them have to be waited for', async () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'ü', '漢', '🙂', '\n', '\r\n', ' '), maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 40 }),
      fc.nat(4),
      async (all, cuts, slow) => {
        const bytes = Buffer.from(all);
        const chunks: Buffer[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = cuts[turn] ?? 50;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        const wait = (count: number) => (slow > 0 && count % slow === 0 ? Promise.resolve() : undefined);

        const expected = all.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
        if (expected.at(-1) === '') expected.pop();
        expect(await linesOf(chunks, wait)).toEqual(expected);
      },
    ),
  );
});

it('cuts off what is beyond the longest line, in one chunk or in many, and goes on with the next line', async () => {
  const long = Buffer.from(`${'x'.repeat(5 * 1024 * 1024)}\nnext\n`);
  const pieces = Array.from({ length: Math.ceil(long.length / 65_536) }, (_, at) =>
    long.subarray(at * 65_536, (at + 1) * 65_536),
  );
  for (const chunks of [[long], pieces]) {
    const [first, ...others] = await linesOf(chunks, () => undefined);
    expect(first?.slice(-24)).toBe('xx … (1048576 bytes more)'.slice(-24));
    expect(others).toEqual(['next']);
  }
});

it('fails when a line could not be taken', async () => {
  const sink = lineSink(() => {
    throw new Error('no room');
  });
  sink.on('error', () => undefined);
  sink.write(Buffer.from('a\n'));

  await expect(finished(sink)).rejects.toThrow('no room');
});

it('keeps the order of a log that two write at once and nobody waits for', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'maestro-log-'));
  const file = path.join(directory, 'log.jsonl');
  try {
    {
      await using log = await SessionLog.open(file, { maxBytes: 1e9, now: () => 7 });
      for (let at = 0; at < 5_000; at += 1) {
        void log.write({ type: 'text', text: `${at} ${'ü'.repeat(100)}` });
        if (at % 100 === 0) void log.flush();
      }
    }
    const entries = (await readFile(file, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { at: number; text: string });
    expect(entries.map(({ text }) => Number.parseInt(text, 10))).toEqual(Array.from({ length: 5_000 }, (_, at) => at));
    expect(entries[0]?.at).toBe(7);
  } finally {
    await rm(directory, { recursive: true });
  }
});
