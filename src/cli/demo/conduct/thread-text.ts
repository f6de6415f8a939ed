/** A comment as GitHub gives it. */
export interface Comment {
  readonly id: number;
  readonly body: string;
  readonly user: { readonly login: string };
}

/** Lines of one comment, and characters of a line, that are shown. */
const LINES = 14;
const WIDTH = 150;

/** Comments as people see them, as plain text for a terminal: one after the other, each below the name of who wrote it. */
export function threadText(comments: readonly Comment[]): string {
  return comments.map(({ user, body }) => `  │ ${user.login}:\n${bodyText(body)}`).join('\n  │\n');
}

function bodyText(body: string): string {
  const lines = readable(body).split('\n');
  const shown = lines
    .slice(0, LINES)
    .map((line) => `  │   ${line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line}`);
  if (lines.length > LINES) shown.push('  │   …');
  return shown.map((line) => line.trimEnd()).join('\n');
}

/** Markdown as it reads: without comments, tags and addresses, entities as what they stand for, folded parts by their summary alone. */
export function readable(markdown: string): string {
  return markdown
    .replaceAll(/<!--[\s\S]*?-->/gu, '')
    .replaceAll(/<details>\s*<summary>(?<summary>[\s\S]*?)<\/summary>[\s\S]*?<\/details>/gu, '▸ $<summary>')
    .replaceAll(/<\/?[a-z][^>]*>/gu, '')
    .replaceAll(/\[(?<text>[^\]]*)\]\(https?:[^)]*\)/gu, '$<text>')
    .replaceAll('&#8203;', '')
    .replaceAll(/&#(\d{1,5});/gu, (_, code: string) => String.fromCodePoint(Number(code)))
    .replaceAll('\u200B', '')
    .replaceAll(/\r\n?/gu, '\n')
    .replaceAll(/\n{2,}/gu, '\n')
    .trim();
}
