import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDemux } from '../../../src/runners/docker/demux.ts';

function frame(stream: 'stdout' | 'stderr', bytes: Uint8Array): Buffer {
  const header = Buffer.from([stream === 'stdout' ? 1 : 2, 0, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

describe('createDemux', () => {
  it('tells stdout and stderr apart however the bytes are cut', () => {
    const stream = fc.constantFrom('stdout' as const, 'stderr' as const);
    const frames = fc.array(fc.tuple(stream, fc.uint8Array({ maxLength: 40 })), { maxLength: 20 });
    const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(frames, cuts, (sent, sizes) => {
        const wire = Buffer.concat(sent.map(([name, bytes]) => frame(name, bytes)));
        const demux = createDemux();
        const got = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
        let at = 0;
        for (let i = 0; at < wire.length; i += 1) {
          const size = sizes[i % sizes.length]!;
          for (const piece of demux.push(wire.subarray(at, at + size)))
            got[piece.stream].push(Buffer.from(piece.bytes));
          at += size;
        }
        const expected = (name: string) => Buffer.concat(sent.filter(([n]) => n === name).map(([, bytes]) => bytes));
        expect(Buffer.concat(got.stdout)).toEqual(expected('stdout'));
        expect(Buffer.concat(got.stderr)).toEqual(expected('stderr'));
        expect(demux.isComplete()).toBe(true);
      }),
    );
  });

  it('knows that a frame was cut off', () => {
    const wire = frame('stdout', Buffer.from('hello'));
    for (const length of [3, 8, 10]) {
      const demux = createDemux();
      demux.push(wire.subarray(0, length));
      expect(demux.isComplete()).toBe(false);
    }
  });

  it('refuses bytes that are no frames', () => {
    expect(() => createDemux().push(Buffer.from('plain text of a terminal'))).toThrow(/not a frame/);
  });
});
