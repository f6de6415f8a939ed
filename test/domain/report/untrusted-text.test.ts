import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clip,
  codeSpan,
  decodeInline,
  encodeInline,
  encodeProse,
  fence,
  plainLine,
} from '../../../src/domain/report/untrusted-text.ts';

/** Text made of pieces that have a meaning to markdown, HTML, GitHub or a terminal, between arbitrary characters. */
const nasty = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '@bob',
        '#12',
        'GH-3',
        '`',
        '```',
        '|',
        '\n',
        '\r\n',
        '<!--',
        '-->',
        '<img src=x>',
        '![a](https://e.io)',
      ),
      fc.constantFrom(
        '&#8203;',
        '&lang;U+202E&rang;',
        '&amp;',
        '\u202E',
        '\u200B',
        '\u001B[31m',
        '👩‍👩‍👧',
        '\uD83D',
        '  ',
        '\\',
        'www.e.io',
      ),
    ),
  )
  .map((parts) => parts.join(''));

describe('text from others in markdown', () => {
  it('comes back exactly', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(decodeInline(encodeInline(text))).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('holds nothing that GitHub acts on', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        for (const out of [encodeInline(text), encodeProse(text).replaceAll(/`[^`]+`/gu, '')]) {
          expect(out).not.toMatch(/@\w|(?<!&)#\d|[<>|`*_~[\]\\\n\r]|:\/\/|\bgh-\d|\bwww\./iu);
          expect(out).not.toMatch(/[\u202A-\u202E\u200B\u2066-\u2069]/u);
          expect(out.isWellFormed()).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('leaves ordinary words and emoji as they are', () => {
    const text = 'Add a cache, (fast!) 👩‍👩‍👧 für Zoë: 100% = a/b';

    expect(encodeInline(text)).toBe(text);
  });

  it('keeps code in our own sentences, and only there', () => {
    expect(encodeProse('Use `/maestro help`, said @bob: ` <b>')).toBe(
      'Use `/maestro help`, said @&#8203;bob: &#96; &#60;b&#62;',
    );
  });
});

it('keeps our own numbers, and the spaces beside code, in our own sentences', () => {
  expect(encodeProse('Ask in #12, not #123 or #3: `a` or `b`', [12])).toBe(
    'Ask in #12, not #&#8203;123 or #&#8203;3: `a` or `b`',
  );
  expect(encodeProse('&#8203; #&#8203;12', [12])).not.toContain('#12');
});

describe('a fence', () => {
  it('is longer than any run of backticks inside, so that nothing gets out of it', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        const [first = '', ...rest] = fence(text, 50).split('\n');
        const ticks = /^(`+)text$/u.exec(first)?.[1] ?? '';

        expect(ticks.length).toBeGreaterThanOrEqual(3);
        expect(rest.pop()).toBe(ticks);
        expect(rest.join('\n')).not.toContain(ticks);
      }),
    );
  });

  it('shows the last lines, cut to a width, without colours, and breaks commands and mentions', () => {
    const out = fence('first\n\u001B[31mred\u001B[0m\n  /approve\n@bob\n' + 'x'.repeat(500), 4, 10);

    expect(out).toBe('```text\nred\n  \u200B/approve\n@\u200Bbob\nxxxxxxxxx…\n```');
  });
});

it('quotes any name as code', () => {
  expect(codeSpan('a`b``c')).toBe('```a`b``c```');
  expect(codeSpan('`a\n<b>')).toBe('`` `a <b> ``');
});

describe('plain text from others', () => {
  it('refers to nothing and nobody', () => {
    expect(plainLine(' Fixes #12, GH-3\nand https://github.com/o/r/issues/4 for @bob <b@e.io> \u202E')).toBe(
      'Fixes no. 12, GH 3 and github.com/o/r/issues/4 for @ bob <b@e.io>',
    );
  });

  it('neither closes an issue by an address put together from parts, nor keeps CI from running', () => {
    expect(plainLine('fixes hthttps://tps://github.com/o/r/issues/1')).toBe('fixes github.com/o/r/issues/1');
    expect(plainLine('[skip ci] [CI SKIP] [no\nci] [Skip Actions] [skip it]')).toBe(
      '(skip ci) (CI SKIP) (no ci) (Skip Actions) [skip it]',
    );
  });

  it('is one line of visible characters', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(plainLine(text)).not.toMatch(/[\p{Cc}\u202E\u200B]|(?<!\w)@\w|#\d/u);
      }),
    );
  });
});

it('cuts between characters, never inside one', () => {
  expect(clip('👩‍👩‍👧👩‍👩‍👧', 10)).toBe('👩‍👩‍👧…');
  expect(clip('short', 5)).toBe('short');
});
