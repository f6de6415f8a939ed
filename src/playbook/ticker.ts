import type { TaskKey } from '../domain/ids.ts';
import { differsInTicksOnly } from '../domain/plan-run.ts';
import type { Playbook } from '../domain/playbook.ts';
import { parsePlaybook } from './parse.ts';

/**
 * Ticks one task after the other in a document, which is parsed once: a tick changes no length, so what is known of one text holds
 * for every text that differs in ticks alone. Any other text is parsed anew.
 */
export interface Ticker {
  /**
   * As `tickTask`: `text` with the task `key` and all its sub-steps ticked, wherever they stand by now. Undefined when the text
   * does not have the task.
   */
  tick(text: string, key: TaskKey): string | undefined;
}

interface Known {
  readonly text: string;
  readonly playbook: Playbook;
  /** Offsets of the marks of each task and its sub-steps, in document order. */
  readonly marks: ReadonlyMap<TaskKey, readonly number[]>;
}

/** A ticker that knows no document yet. */
export function createTicker(parse: (text: string) => Playbook = parsePlaybook): Ticker {
  let known: Known | undefined;
  /** What we gave last: the same text comes back as the next task's. */
  let last: string | undefined;

  function marksOf(text: string, key: TaskKey): readonly number[] | undefined {
    if (known === undefined || (text !== last && !differsInTicksOnly(text, known.text, known.playbook))) {
      const playbook = parse(text);
      known = { text, playbook, marks: marksByTask(playbook) };
    }
    return known.marks.get(key);
  }

  return {
    tick: (text, key) => {
      const marks = marksOf(text, key);
      if (marks === undefined) return undefined;
      const pieces: string[] = [];
      let done = 0;
      for (const mark of marks) {
        if (/[xX]/.test(text.charAt(mark))) continue;
        pieces.push(text.slice(done, mark), 'x');
        done = mark + 1;
      }
      last = pieces.join('') + text.slice(done);
      return last;
    },
  };
}

/** A parent comes before its sub-steps in document order; a sub-step is ticked with each box around it. */
function marksByTask({ boxes }: Playbook): ReadonlyMap<TaskKey, readonly number[]> {
  const marks = new Map<TaskKey, number[]>();
  const parents = new Map(boxes.map((box) => [box.key, box.parent]));
  for (const box of boxes) {
    marks.set(box.key, []);
    for (let key: TaskKey | undefined = box.key; key !== undefined; key = parents.get(key))
      marks.get(key)?.push(box.offset);
  }
  return marks;
}
