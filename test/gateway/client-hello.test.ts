import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { LONGEST_HELLO, readGreeting } from '../../src/gateway/client-hello.ts';
import { clientHello } from './world.ts';

test('the server name of a real greeting is read, and not before the greeting is complete', async () => {
  const hello = await clientHello('registry.example.com');
  for (let at = 0; at < hello.length; at += 1) {
    expect(readGreeting(hello.subarray(0, at))).toEqual({ kind: 'more' });
  }
  expect(readGreeting(hello)).toEqual({ kind: 'name', name: 'registry.example.com' });
  expect(readGreeting(Buffer.concat([hello, hello]))).toMatchObject({ kind: 'name' });
});

test('a greeting spread over many records is read as well', async () => {
  const payload = (await clientHello('registry.example.com')).subarray(5);
  const records = Array.from({ length: Math.ceil(payload.length / 7) }, (_, at) => {
    const part = payload.subarray(at * 7, at * 7 + 7);
    return Buffer.concat([Buffer.from([22, 3, 1, 0, part.length]), part]);
  });
  expect(readGreeting(Buffer.concat(records))).toEqual({ kind: 'name', name: 'registry.example.com' });
});

test('a greeting that names nobody, or is none, is told', async () => {
  expect(readGreeting(await clientHello(undefined))).toEqual({ kind: 'none' });
  expect(readGreeting(Buffer.from('GET / HTTP/1.1\r\n'))).toEqual({ kind: 'none' });
});

test('bytes without end are not waited for', () => {
  const endless = Buffer.concat([Buffer.from([22, 3, 1, 255, 255, 1, 255, 255, 255]), Buffer.alloc(LONGEST_HELLO)]);
  expect(readGreeting(endless)).toEqual({ kind: 'none' });
});

test('damaged greetings never throw', async () => {
  const hello = await clientHello('registry.example.com');
  const damage = fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(damage, (changes) => {
      const damaged = Buffer.from(hello);
      for (const [at, value] of changes) damaged[at] = value;
      expect(readGreeting(damaged).kind).toMatch(/^(?:name|more|none)$/);
    }),
    { numRuns: 2_000 },
  );
});
