import type { Problem } from '../domain/playbook.ts';
import type { Found } from './boxes.ts';
import type { Position } from './position.ts';

/** A line that begins with something like a checkbox: marker, gap, what is in the brackets, what follows. */
const SHAPE =
  /^([ \t\u00A0\u2000-\u200F\u2060\u3000\uFEFF]*)(?:([-*+•·◦▪–—]|\d{1,9}[.)])([ \t\u00A0]*))?\[([^[\]\r\n]{0,3})\]([^\r\n]*)/gmu;

/** What other tools write between the brackets for "done", "dropped" and "half done". A digit or a letter may be a reference. */
const OTHER_MARKS = /^[yYvV✓✔✗✘√☑\-~/*.+o>!?]$/u;

interface Shape {
  readonly indent: string;
  readonly marker: string;
  readonly gap: string;
  readonly inner: string;
  readonly rest: string;
}

type Complaint = Pick<Problem, 'message' | 'fix'>;

/**
 * Checkboxes the author clearly meant as tasks and markdown does not see as such: reported, because a task that is silently left
 * out is worse than a run that does not start. Fenced code, quotes, tables and HTML comments are examples, not tasks.
 */
export function lookalikes(given: {
  readonly text: string;
  readonly shift: number;
  readonly found: Found;
  readonly positionAt: (offset: number) => Position;
}): readonly Problem[] {
  const { text, shift, found, positionAt } = given;
  const known = new Set(found.boxes.map((box) => box.offset - 1));
  const problems: Problem[] = found.broken.map((offset) => ({ ...positionAt(offset), ...BROKEN }));
  let next = 0;
  for (const match of text.slice(shift).matchAll(SHAPE)) {
    const [, indent = '', marker = '', gap = '', inner = '', rest = ''] = match;
    const start = match.index + shift;
    const bracket = start + indent.length + marker.length + gap.length;
    while ((found.regions[next]?.end ?? Infinity) <= bracket) next += 1;
    const region = found.regions[next];
    const kind = region !== undefined && region.start <= bracket ? region.kind : undefined;
    if (known.has(bracket) || kind === 'code' || kind === 'quote') continue;
    const shape = { indent, marker, gap, inner, rest };
    const complaint =
      kind === undefined ? complain(shape) : complainInside(shape, kind, text.slice(region?.start, region?.end));
    if (complaint !== undefined) problems.push({ ...positionAt(start + indent.length), ...complaint });
  }
  return problems;
}

const BROKEN: Complaint = {
  message: 'This checkbox has a line break between its brackets.',
  fix: 'Write the checkbox on one line: `- [ ] text`.',
};

/** Complaint about a checkbox in indented code or in HTML; undefined where it is an example. */
function complainInside(shape: Shape, kind: 'indented-code' | 'html', region: string): Complaint | undefined {
  const isBox =
    /^[-*+\d]/.test(shape.marker) && shape.gap !== '' && /^[ xX]$/.test(shape.inner) && /^\s+\S/.test(shape.rest);
  if (!isBox) return undefined;
  if (kind === 'indented-code') {
    return {
      message: 'This checkbox is indented so far that it is a code block, not a task.',
      fix: 'Indent it by at most three spaces more than the list it belongs to; put examples between ``` lines.',
    };
  }
  // Comments and the elements whose content is not markdown are left alone.
  if (/^\s*<(?:!|\?|pre|script|style|textarea)/i.test(region)) return undefined;
  return {
    message: 'This checkbox is inside an HTML block, so it is not a task.',
    fix: 'Put an empty line between the HTML tag above and the list.',
  };
}

/** What is wrong with a line that is not a task although it looks like one; undefined where it means something else. */
function complain(shape: Shape): Complaint | undefined {
  const { indent, marker, gap, inner, rest } = shape;
  const mark = inner.trim();
  const isEmpty = mark === '';
  const isCross = /^[xX]$/.test(mark);
  if (/^[:[]/.test(rest) || (rest.startsWith('(') && inner !== ' ')) return undefined;
  if (!isEmpty && !isCross) return complainMark(shape);
  const box = isEmpty ? '[ ]' : '[x]';
  if (marker === '') {
    if (inner.length !== 1 || !/^\s+\S/.test(rest)) return undefined;
    return {
      message: 'This checkbox is not in a list, so it is not a task.',
      fix: `Begin the line with a list marker: \`- ${box} text\`.`,
    };
  }
  if (!/^[-*+\d]/.test(marker)) {
    return {
      message: `\`${marker}\` is not a list marker of markdown, so this is not a task.`,
      fix: `Write \`- ${box} text\`.`,
    };
  }
  if (/[^ \t]/.test(indent)) {
    return {
      message: 'There is an invisible character or an unusual space before this checkbox, so it is not a task.',
      fix: `Write \`${marker} ${box} text\` with ordinary spaces.`,
    };
  }
  if (gap === '') {
    return {
      message: `There is no space between \`${marker}\` and the checkbox, so this is not a task.`,
      fix: `Write \`${marker} ${box} text\`.`,
    };
  }
  if (`${gap}${inner}${rest.slice(0, 1)}`.includes('\u00A0')) {
    return {
      message: 'There is a no-break space in this checkbox, so it is not a task.',
      fix: `Write \`${marker} ${box} text\` with ordinary spaces.`,
    };
  }
  if (inner.length !== 1) {
    return {
      message: `\`[${inner}]\` is not a checkbox: exactly one character belongs between the brackets.`,
      fix: `Write \`${marker} ${box} text\`.`,
    };
  }
  return complainAfter(shape, box);
}

function complainMark({ marker, gap, inner, rest }: Shape): Complaint | undefined {
  const isMeant = marker !== '' && gap !== '' && OTHER_MARKS.test(inner) && /^(?:\s|$)/.test(rest);
  if (!isMeant) return undefined;
  return {
    message: `\`[${inner}]\` is not a checkbox: only \`[ ]\` (open) and \`[x]\` (done) are.`,
    fix: `Write \`${marker} [ ] text\` or \`${marker} [x] text\`, or remove the brackets.`,
  };
}

function complainAfter({ marker, rest }: Shape, box: string): Complaint {
  if (rest.trim() === '') {
    return {
      message: 'This checkbox has no text.',
      fix: 'Say what is to be done after the brackets, or remove the line.',
    };
  }
  if (!/^[ \t]/.test(rest)) {
    return {
      message: 'There is no space after this checkbox, so it is not a task.',
      fix: `Write \`${marker} ${box} text\`.`,
    };
  }
  return {
    message: 'Markdown reads this line as part of the paragraph or heading here, so it is not a task.',
    fix: 'Put empty lines around it, and indent it no further than the list it belongs to.',
  };
}
