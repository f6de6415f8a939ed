import { array, assert, constantFrom, oneof, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { visibleText } from '../../src/playbook/visible.ts';
import { ODD_PLAYBOOKS } from '../fixtures/playbooks/odd.ts';

/** Ways to hide an instruction from readers on GitHub. Each holds `HIDDEN` where nobody sees it and `SEEN` where everybody does. */
const CORPUS: readonly (readonly [how: string, text: string])[] = [
  ['comment', 'SEEN <!-- HIDDEN -->'],
  ['comment over lines', 'SEEN\n\n<!--\nHIDDEN\n\nHIDDEN\n-->\n'],
  ['comment without end', 'SEEN\n\n<!-- HIDDEN\n\nHIDDEN'],
  ['comment in a list', '- SEEN\n  <!-- HIDDEN -->'],
  ['comment in a quote', '> SEEN\n> <!-- HIDDEN -->'],
  ['comment in a table', '| SEEN <!-- HIDDEN --> |\n|---|'],
  ['comment in a task', '- [ ] SEEN <!-- HIDDEN -->'],
  ['comment in a heading', '# SEEN <!-- HIDDEN -->'],
  ['comment in a link text', '[SEEN <!-- HIDDEN -->](https://example.org)'],
  ['comment made of comments', 'SEEN\n\n<!-- <!-- HIDDEN --> \n\nSEEN'],
  ['comment that looks like a fence', '<!--\n```\n-->\nSEEN\n<!--\nHIDDEN\n```\n-->'],
  ['fence that is indented code', 'SEEN\n\n    ```\n\n<!-- HIDDEN -->\n\n    ```'],
  ['front matter that is none', '---\n<!-- HIDDEN -->\n---\nSEEN'],
  ['processing instruction', 'SEEN <?HIDDEN ?>'],
  ['declaration', 'SEEN <!DOCTYPE HIDDEN>'],
  ['CDATA', 'SEEN <![CDATA[HIDDEN]]>'],
  ['link title', '[SEEN](https://example.org "HIDDEN")'],
  ['link title in single quotes', "[SEEN](https://example.org 'HIDDEN')"],
  ['link title over lines', '[SEEN](https://example.org\n"HIDDEN\nHIDDEN")'],
  ['link address with spaces', '[SEEN](<HIDDEN words here>)'],
  ['reference label', '[SEEN][HIDDEN do this]\n\n[HIDDEN do this]: https://example.org'],
  ['definition title', '[SEEN][a]\n\n[a]: https://example.org "HIDDEN"'],
  ['unused definition', 'SEEN\n\n[//]: # (HIDDEN)'],
  ['unused definition with an address', 'SEEN\n\n[a]: <HIDDEN words>'],
  ['image description', 'SEEN ![HIDDEN](https://example.org/x.png)'],
  ['image title', 'SEEN ![](https://example.org/x.png "HIDDEN")'],
  ['image by reference', 'SEEN ![HIDDEN][a]\n\n[a]: https://example.org/x.png'],
  ['image tag', 'SEEN <img src="x.png" alt="HIDDEN" title="HIDDEN">'],
  ['image in a link', '[SEEN ![HIDDEN](x.png)](https://example.org)'],
  ['attribute', '<p title="HIDDEN">SEEN</p>'],
  ['attribute with a closing bracket', '<p title="> HIDDEN">SEEN</p>'],
  ['tag without end', 'SEEN\n\n<div title="HIDDEN'],
  ['display none', 'SEEN <span style="display:none">HIDDEN</span>'],
  ['display none around paragraphs', 'SEEN\n\n<div style="display: none">\n\nHIDDEN\n\n**HIDDEN**\n\n</div>\n\nSEEN'],
  ['hidden attribute', 'SEEN <b hidden>HIDDEN <b>HIDDEN</b> HIDDEN</b>'],
  ['zero size', '<div><span style="font-size:0">HIDDEN</span>SEEN</div>'],
  ['script', 'SEEN\n\n<script>HIDDEN</script>'],
  ['style inside a line', 'SEEN <style>HIDDEN</style>'],
  ['template', '<template>HIDDEN</template>SEEN'],
  ['words after the language of a code block', '```js HIDDEN\nSEEN\n```'],
  ['attributes instead of a language', '~~~ {title="HIDDEN"}\nSEEN\n~~~'],
  ['table cells beyond the head', '| SEEN |\n|---|\n| b | HIDDEN |'],
  ['unused footnote', 'SEEN\n\n[^a]: HIDDEN'],
  ['footnote label', 'SEEN[^HIDDEN-do-this-and-that-and-more]\n\n[^HIDDEN-do-this-and-that-and-more]: x'],
];

/** Invisible characters, raw and as references. */
const CHARACTERS: readonly (readonly [name: string, character: string])[] = [
  ['zero-width space', '\u200B'],
  ['zero-width joiner', '\u200D'],
  ['byte order mark', '\uFEFF'],
  ['right-to-left override', '\u202E'],
  ['isolate', '\u2066'],
  ['tag letter', '\u{E0041}'],
  ['variation selector', '\uFE0F'],
  ['variation selector supplement', '\u{E0100}'],
  ['soft hyphen', '\u00AD'],
  ['word joiner', '\u2060'],
  ['Hangul filler', '\u3164'],
  ['private use', '\uE000'],
  ['unassigned', '\u{E0FFF}'],
  ['control', '\u0008'],
  ['escape', '\u001B'],
];

describe('text from GitHub', () => {
  it.each(CORPUS)('keeps what is seen and drops what is hidden: %s', (_how, text) => {
    const visible = visibleText(text);

    expect(visible).toContain('SEEN');
    expect(visible).not.toContain('HIDDEN');
    expect(visibleText(visible)).toBe(visible);
  });

  it.each(CHARACTERS)('drops the %s everywhere', (_name, character) => {
    const reference = `&#x${character.codePointAt(0)!.toString(16)};`;

    expect(visibleText(`a${character}b\n\n\`\`\`\nc${character}d\n\`\`\``)).toBe('ab\n\n```\ncd\n```');
    expect(visibleText(`a${reference}b \`${reference}\``)).toBe(`ab \`${reference}\``);
  });

  it.each([
    'Plain words, **bold**, `code`, a < b && c > d, Map<String, Foo>.',
    '# Title\n\n- [ ] a\n  - [x] b\n\n1. one\n\n> quote\n\n| a | b |\n| --- | --- |\n| 1 | 2 |',
    '[link](https://example.org/a?b=c#d) and <https://example.org> and https://example.org',
    '```ts\nconst a = 1;   \n\n\n\nconst b = a;\n```',
    '    indented code\n\ntext',
    'see[^1]\n\n[^1]: the note',
    'a &amp; b &lt;tag&gt; &copy;',
    'ألف 日本語 ไทย emoji 🚀',
  ])('leaves %j alone', (text) => {
    expect(visibleText(text)).toBe(text);
  });

  it('keeps code, where a comment is visible, without letting it be one', () => {
    expect(visibleText('```html\n<!-- seen -->\n```')).toBe('```html\n<! -- seen -->\n```');
    expect(visibleText('Write `<!-- seen -->`')).toBe('Write `<! -- seen -->`');
  });

  it('keeps the text of visible HTML', () => {
    expect(visibleText('<details><summary>More</summary>\n\nbody <kbd>x</kbd>\n\n</details>')).toBe('More\n\nbody x');
  });

  it('keeps at most what GitHub takes for one comment', () => {
    expect(visibleText('words '.repeat(20_000)).length).toBeLessThanOrEqual(65_536);
  });

  it('is done after once, and leaves no comment and nothing invisible, whatever the text', () => {
    const piece = oneof(
      constantFrom(
        ...CORPUS.map(([, text]) => text),
        ...CHARACTERS.map(([, character]) => character),
        ...ODD_PLAYBOOKS.map(({ text }) => text),
      ),
      constantFrom(
        '<!',
        '--',
        '-->',
        '<',
        '>',
        '[',
        ']',
        '(',
        ')',
        '![',
        '`',
        '```',
        '~~~',
        '\n',
        '\n\n',
        '    ',
        '- ',
        '> ',
        '"',
        '|',
        '&#',
        ';',
        '&',
        '</',
        '<a ',
        '\\',
        '*',
        '_',
      ),
      string({ unit: 'binary', maxLength: 4 }),
    );

    assert(
      property(array(piece, { maxLength: 8 }), (pieces) => {
        const visible = visibleText(pieces.join(''));

        expect(visible).not.toContain('<!--');
        expect(visible).not.toMatch(
          /(?![\n\t\u0600-\u0605\u06DD\u070F\u0890\u0891\u08E2])[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Cs}\p{Default_Ignorable_Code_Point}]/u,
        );
        expect(visibleText(visible)).toBe(visible);
      }),
      { numRuns: 2_000 },
    );
  });
});
