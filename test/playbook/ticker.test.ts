import { array, assert, constantFrom, nat, property, tuple } from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { TaskKey } from '../../src/domain/ids.ts';
import { parsePlaybook } from '../../src/playbook/parse.ts';
import { tickTask } from '../../src/playbook/tick.ts';
import { createTicker } from '../../src/playbook/ticker.ts';
import { ODD_PLAYBOOKS } from '../fixtures/playbooks/odd.ts';

const NESTED = '# Plan\n\n- [ ] one\n  - [ ] inside\n    - [x] deep\n- [X] two\n- [ ] three\n';

describe('a ticker', () => {
  it('gives what ticking with a fresh parse gives, whatever was ticked or written before', () => {
    const texts = [NESTED, ...ODD_PLAYBOOKS.map(({ text }) => text)];
    const step = tuple(constantFrom('tick', 'tick', 'tick', 'untick', 'edit', 'other' as const), nat(), nat());
    assert(
      property(array(step, { maxLength: 8 }), nat(), (steps, first) => {
        const ticker = createTicker();
        let text = texts[first % texts.length] ?? '';
        for (const [what, a, b] of steps) {
          const { boxes } = parsePlaybook(text);
          const box = boxes[a % Math.max(1, boxes.length)];
          if (what === 'other') text = texts[a % texts.length] ?? '';
          if (what === 'edit')
            text = `${text.slice(0, b % (text.length + 1))}- [ ] new\n${text.slice(b % (text.length + 1))}`;
          if (what === 'untick' && box !== undefined)
            text = `${text.slice(0, box.offset)} ${text.slice(box.offset + 1)}`;
          if (what !== 'tick') continue;
          const key = box?.key ?? ('nothing-1' as TaskKey);
          const ticked = ticker.tick(text, key);
          expect(ticked).toBe(tickTask(text, key));
          text = ticked ?? text;
        }
      }),
      { numRuns: 60 },
    );
  });

  it('parses a document once, however many of its tasks are ticked, here or by somebody else', () => {
    const parse = vi.fn<typeof parsePlaybook>(parsePlaybook);
    const ticker = createTicker(parse);
    let text = Array.from({ length: 50 }, (_, index) => `- [ ] task ${index}\n`).join('');
    const { boxes } = parsePlaybook(text);
    for (const box of boxes.slice(0, 40)) text = ticker.tick(text, box.key) ?? '';
    const last = boxes.at(-1);
    text = `${text.slice(0, last?.offset)}x${text.slice((last?.offset ?? 0) + 1)}`;
    for (const box of boxes.slice(40)) text = ticker.tick(text, box.key) ?? '';

    expect(text).not.toContain('[ ]');
    expect(parse).toHaveBeenCalledTimes(1);
    expect(ticker.tick(`${text}\n- [ ] more\n`, boxes[0]?.key ?? ('' as TaskKey))).toBeDefined();
    expect(parse).toHaveBeenCalledTimes(2);
  });
});
