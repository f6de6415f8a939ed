import { expect, it } from 'vitest';
import { readSignedRecord, signedRecord } from '../../src/forge/github/signed-record.ts';

const RECORD = { version: 1, id: 'r', text: 'ü --> <!-- | \n' };

it('gives back what was signed for the repository, wherever in a text it stands', () => {
  const line = signedRecord('secret', 42, RECORD);

  expect(line).not.toContain('\n');
  expect(readSignedRecord('secret', 42, `Text\r\n\r\n${line}\r\n`)).toEqual(RECORD);
});

it('gives nothing for another repository, another secret, a change, or no record at all', () => {
  const line = signedRecord('secret', 42, RECORD);
  const [payload = ''] = /[A-Za-z0-9+/=]{20,}/.exec(line) ?? [];
  const other = Buffer.from(JSON.stringify({ ...RECORD, id: 'q' })).toString('base64');

  expect(readSignedRecord('secret', 43, line)).toBeUndefined();
  expect(readSignedRecord('another', 42, line)).toBeUndefined();
  expect(readSignedRecord('secret', 42, line.replace(payload, other))).toBeUndefined();
  expect(readSignedRecord('secret', 42, 'Text')).toBeUndefined();
});
