/** What reading a markdown text would take, estimated from the beginnings of its lines. */
export interface Effort {
  /** Estimated parse time in microseconds on a slow core. */
  readonly micros: number;
  /** First line (1-based) whose lists and quotes are nested deeper than asked; undefined for none. */
  readonly tooDeep: number | undefined;
}

/**
 * Microseconds the parser took for one of each, measured with texts made of nothing else. Two of them grow with the square of their
 * number: underlines (each looks back over all before it) and lazy lines (each re-reads the paragraph it continues).
 */
const COST = {
  line: 35,
  marker: 100,
  level: 12,
  pipe: 60,
  footnote: 160,
  bracket: 2,
  underlineSquared: 0.25,
  lazySquared: 0.12,
};

const LINE = /[^\r\n]*(?:\r\n|\r|\n|$)/y;
/** One list or quote marker at the start of what is left of a line. */
const MARKER = /[ \t]*(?:>|[-+*](?=[ \t\r\n]|$)|\d{1,9}[.)](?=[ \t\r\n]|$))/y;
const UNDERLINE = /^[ \t>]*(?:=+|-+)[ \t]*[\r\n]*$/;

interface Scan {
  micros: number;
  underlines: number;
  lazy: number;
  isAfterBlank: boolean;
  /** Columns where the content of the lists open here begins, outermost first. */
  readonly columns: number[];
}

/**
 * Estimates without parsing what parsing `text` would cost, and stops as soon as `most` microseconds or `depth` levels are passed.
 * One look at each character: this is what keeps the parser away from text made to be slow.
 */
export function estimateEffort(text: string, most: number, depth: number): Effort {
  const scan: Scan = { micros: 0, underlines: 0, lazy: 0, isAfterBlank: true, columns: [] };
  let number = 0;
  for (let start = 0; start < text.length && scan.micros <= most; start = LINE.lastIndex) {
    number += 1;
    LINE.lastIndex = start;
    const line = LINE.exec(text)?.[0] ?? '';
    if (scanLine(line, scan, depth) > depth) return { micros: scan.micros, tooDeep: number };
  }
  return { micros: scan.micros, tooDeep: undefined };
}

/** Adds one line to the scan; answers how deep its lists and quotes are nested. */
function scanLine(line: string, scan: Scan, depth: number): number {
  scan.micros +=
    COST.line + count(line, '|') * COST.pipe + count(line, '[^') * COST.footnote + count(line, '[') * COST.bracket;
  if (line.trim() === '') {
    scan.isAfterBlank = true;
    return 0;
  }
  const indent = columnsOf(/^[ \t]*/.exec(line)?.[0] ?? '');
  const contents = markerColumns(line, depth);
  const isFresh = contents.length > 0 || scan.isAfterBlank;
  if (isFresh) {
    scan.lazy = 0;
    while ((scan.columns.at(-1) ?? 0) > indent) scan.columns.pop();
  } else if ((scan.columns.at(-1) ?? 0) > indent) {
    scan.lazy += 1;
    scan.micros += COST.lazySquared * 2 * scan.lazy;
  }
  if (UNDERLINE.test(line)) {
    scan.underlines += 1;
    scan.micros += COST.underlineSquared * 2 * scan.underlines;
  }
  scan.isAfterBlank = false;
  scan.columns.push(...contents);
  scan.micros += contents.length * COST.marker + scan.columns.length * COST.level;
  return scan.columns.length;
}

/** Where the content after each marker at the beginning of `line` begins, at most one more than `depth` of them. */
function markerColumns(line: string, depth: number): readonly number[] {
  const columns: number[] = [];
  MARKER.lastIndex = 0;
  while (columns.length <= depth && MARKER.test(line)) columns.push(MARKER.lastIndex);
  return columns.map((end) => columnsOf(line.slice(0, end)) + 1);
}

function columnsOf(prefix: string): number {
  let columns = 0;
  for (const character of prefix) columns += character === '\t' ? 4 - (columns % 4) : 1;
  return columns;
}

function count(line: string, part: string): number {
  let found = 0;
  for (let at = line.indexOf(part); at !== -1; at = line.indexOf(part, at + part.length)) found += 1;
  return found;
}
