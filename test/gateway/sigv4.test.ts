import { expect, test } from 'vitest';
import { signV4 } from '../../src/gateway/sigv4.ts';

/** The identity and time of AWS's own test suite for Signature Version 4. */
const of = {
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  region: 'us-east-1',
  service: 'service',
  at: Date.UTC(2015, 7, 30, 12, 36),
};

function sign(path: string, body: string): string | undefined {
  return signV4({ method: 'POST', url: new URL(path, 'https://x.example'), body }, of)['authorization'];
}

/** Vectors of AWS's test suite, by name, and the worked example of its documentation. */
test.each([
  ['get-vanilla', 'GET', '/', {}, '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
  ['post-vanilla', 'POST', '/', {}, '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
  [
    'get-vanilla-query-order-key-case',
    'GET',
    '/?Param2=value2&Param1=value1',
    {},
    'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  ],
] as const)('%s', (_, method, target, headers, signature) => {
  const signed = signV4({ method, url: new URL(target, 'https://example.amazonaws.com'), headers, body: '' }, of);
  expect(signed['authorization']).toBe(
    `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=${signature}`,
  );
});

test('the worked example of the documentation, with a header of its own', () => {
  const signed = signV4(
    {
      method: 'GET',
      url: new URL('https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08'),
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: '',
    },
    { ...of, service: 'iam' },
  );
  expect(signed['authorization']).toMatch(
    /SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7$/,
  );
});

test('temporary credentials bring their token, which is signed', () => {
  const credentials = { ...of.credentials, sessionToken: 'a-token' };
  const signed = signV4({ method: 'POST', url: new URL('https://x.example/'), body: '' }, { ...of, credentials });
  expect(signed).toMatchObject({ 'x-amz-security-token': 'a-token' });
  expect(signed['authorization']).toContain('SignedHeaders=host;x-amz-date;x-amz-security-token');
});

test('the body and the path are signed: another gives another signature', () => {
  const ways = [
    sign('/model/a:0/invoke', '{}'),
    sign('/model/a%3A0/invoke', '{}'),
    sign('/model/a:0/invoke', '{"a":1}'),
  ];
  expect(new Set(ways).size).toBe(3);
  expect(sign('/model/a:0/invoke', '{}')).toBe(ways[0]);
});
