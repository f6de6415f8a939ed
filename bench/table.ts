import { isMet, ratioOf, type Figure } from './figure.ts';

const COLUMNS = ['figure', 'ours', 'baseline', 'ratio', 'target', ''] as const;

/** A figure as the cells of its line. */
function cellsOf(figure: Figure): readonly string[] {
  const ratio = ratioOf(figure);
  const limit = 'most' in figure.target ? `≤ ${figure.target.most}` : `≥ ${figure.target.least}`;
  return [
    figure.name,
    amount(figure.ours, figure.unit),
    figure.baseline === undefined ? '' : amount(figure.baseline, figure.unit),
    ratio === undefined ? '' : short(ratio),
    ratio === undefined ? `${limit} ${figure.unit}` : limit,
    isMet(figure) ? 'met' : 'missed',
  ];
}

/** The table for a terminal: columns of even width. */
export function plainTable(figures: readonly Figure[]): string {
  const rows = [COLUMNS, ...figures.map(cellsOf)];
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The table for a page, with a note for each figure. */
export function markdownTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => `| ${[...cellsOf(figure), figure.note].join(' | ')} |`);
  return [
    '| figure | ours | baseline | ratio | target | | measured how |',
    '|---|---:|---:|---:|---|---|---|',
    ...rows,
  ].join('\n');
}

function amount(value: number, unit: string): string {
  return `${short(value)} ${unit}`.trim();
}

function short(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US');
  return value.toPrecision(3).replace(/\.?0+$/, '');
}
