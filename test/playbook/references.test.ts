import { describe, expect, it } from 'vitest';
import { isPlaybookPath, namedPlaybooks } from '../../src/playbook/references.ts';

const A = '.maestro/playbooks/a.md';
const B = '.maestro/playbooks/deep/b-2.md';

describe('playbooks an issue names', () => {
  it.each([
    ['bare', `Run ${A} please.`, [A]],
    ['at the end of a sentence', `Run ${A}.`, [A]],
    ['with ./', `Run ./${A}`, [A]],
    ['in backticks', `Run \`${A}\`, then \`${B}\``, [A, B]],
    ['as a link', `Run [this](${A})`, [A]],
    ['as a link to the file on GitHub', `Run https://github.com/o/r/blob/main/${A}`, [A]],
    ['as a link in angle brackets', `[x](<${A}>)`, [A]],
    ['in a list', `- ${A}\n- ${B}`, [A, B]],
    ['twice', `${A} and ${A}`, [A]],
    ['percent-encoded', '[x](.maestro/playbooks/%C3%A4.md)', ['.maestro/playbooks/ä.md']],
    ['in fenced code', `\`\`\`\n${A}\n\`\`\``, []],
    ['in indented code', `Text\n\n    ${A}`, []],
    ['in a quote', `> ${A}`, []],
    ['in a comment', `<!-- ${A} -->\n\ntext <!-- ${B} -->`, []],
    ['in a long comment inside a paragraph', `text <!-- ${'x '.repeat(9_000)} ${A} -->`, []],
    ['outside the folder', 'docs/a.md .maestro/a.md', []],
    ['inside another folder', `x/${A}`, []],
    ['not markdown', '.maestro/playbooks/a.txt .maestro/playbooks/a.mdx', []],
    ['climbing out', '.maestro/playbooks/../../etc/x.md .maestro/playbooks/%2e%2e/x.md', []],
    ['doubled slash', '.maestro/playbooks//x.md', []],
    ['nothing', 'Fix the bug', []],
  ])('%s', (_how, body, paths) => {
    expect(namedPlaybooks(body)).toEqual(paths);
  });

  it('are at most twenty', () => {
    const body = Array.from({ length: 50 }, (_, index) => `.maestro/playbooks/${index}.md`).join('\n');

    expect(namedPlaybooks(body)).toHaveLength(20);
  });

  it('have safe paths only', () => {
    expect(isPlaybookPath(A)).toBe(true);
    const unsafe = [
      '/etc/x.md',
      `/${A}`,
      '.maestro/playbooks/a\n.md',
      '.maestro/playbooks/./a.md',
      '.maestro\\playbooks\\a.md',
      'a.md',
      '',
    ];
    expect(unsafe.filter((path) => isPlaybookPath(path))).toEqual([]);
  });
});
