import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { storableJson, storableText } from '../../src/store/storable.ts';

describe('storableText', () => {
  it('replaces what Postgres cannot hold, character by character', () => {
    expect(storableText('a\0b\ud800c\udc00d')).toBe('a\uFFFDb\uFFFDc\uFFFDd');
  });

  it('leaves all other text as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(storableText(text)).toBe(text.replaceAll('\0', '\uFFFD'));
      }),
    );
  });
});

describe('storableJson', () => {
  it('replaces what Postgres cannot hold in values and keys, and no text that looks like it', () => {
    const value = { 'k\0': ['\0', '\\u0000', '\\\0', '\ud800', '\\ud800', '\udfff!', '👍'], n: null };

    expect(JSON.parse(storableJson(value))).toStrictEqual({
      'k\uFFFD': ['\uFFFD', '\\u0000', '\\\uFFFD', '\uFFFD', '\\ud800', '\uFFFD!', '👍'],
      n: null,
    });
  });

  it('leaves all other values as they are', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'binary' }), (value) => {
        const json = JSON.stringify(value);
        fc.pre(!json.includes('u0000'));
        expect(storableJson(value)).toBe(json);
      }),
    );
  });

  it('takes undefined for null', () => {
    expect(storableJson(undefined)).toBe('null');
  });
});
