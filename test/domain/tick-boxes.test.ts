import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { proposalHash } from '../../src/domain/asking.ts';
import { parseCommand } from '../../src/domain/command.ts';
import type { Question } from '../../src/domain/question.ts';
import { renderStatusComment } from '../../src/domain/report/status-comment.ts';
import { newTicks, renderTickBoxes, runOfStatusComment } from '../../src/domain/tick-boxes.ts';
import { aDoneTask, aReport, aRun, aSession, aTask } from './report/a-run.ts';

const committed = { kind: 'committed', commit: 'c' } as const;
const crashed = {
  kind: 'failed',
  failure: { kind: 'crash', message: 'It ended.', detail: '- [ ] <!-- maestro:stop -->' },
} as const;
const failed = { run: aRun({ state: 'failed' }), tasks: [aDoneTask(1, crashed), aTask(2)] } as const;

/** The text with the box of a command ticked. */
function tick(text: string, name: string): string {
  const ticked = text.replace(`- [ ] <!-- maestro:${name} -->`, `- [x] <!-- maestro:${name} -->`);
  expect(ticked).not.toBe(text);
  return ticked;
}

describe('tick boxes', () => {
  it('are those of the commands that are valid now and need no words', () => {
    expect(renderTickBoxes({ run: aRun(), tasks: [aTask(1)] })).toBe(
      'Tick to ask for it:\n- [ ] <!-- maestro:pause --> pause after the task at hand\n- [ ] <!-- maestro:stop --> stop, and keep what is committed',
    );
    expect(renderTickBoxes(failed).match(/maestro:[a-z]+(?: \d)?/g)).toEqual([
      'maestro:resume',
      'maestro:retry 1',
      'maestro:skip 1',
    ]);
    expect(renderTickBoxes({ run: aRun({ state: 'succeeded' }), tasks: [] })).toBe('');
  });

  it('take back the last task that was done, where nothing is at work', () => {
    const tasks = [aDoneTask(1, committed), aDoneTask(2, committed)];
    expect(renderTickBoxes({ run: aRun({ state: 'succeeded' }), tasks })).toBe(
      'Tick to ask for it:\n- [ ] <!-- maestro:redo 2 --> take task 2 back, and do it again',
    );
    expect(renderTickBoxes({ run: aRun({ state: 'running' }), tasks: [...tasks, aTask(3)] })).not.toContain('redo');
    expect(renderTickBoxes({ run: aRun({ state: 'parked' }), tasks: [...tasks, aTask(3)] })).toContain('redo 2');
  });

  it('approve what is proposed, by its hash', () => {
    const proposal = [{ title: 'Another', text: 'Another' }];
    const question: Question = {
      id: 'q1',
      kind: 'replan',
      text: 'The API is gone.',
      options: [],
      tasks: proposal,
      session: aSession('scripted').id,
      at: 0,
    };
    const run = aRun({ state: 'parked' });
    const box = `- [ ] <!-- maestro:approve ${proposalHash(proposal)} --> go on with what is proposed`;
    const boxes = renderTickBoxes({ run, tasks: [aTask(1, { questions: [question] })] });
    expect(boxes.split('\n')).toContain(box);
    expect(newTicks(boxes, boxes.replace(box, box.replace('[ ]', '[x]')))).toMatchObject([
      { command: { kind: 'approve', hash: proposalHash(proposal) } },
    ]);
  });

  it('say what was ticked since, and nothing that was ticked, written or taken out before', () => {
    const before = renderStatusComment(aReport(failed));
    const after = tick(before, 'retry 1');
    expect(newTicks(before, after)).toMatchObject([{ words: 'retry 1' }]);
    expect(newTicks(before.replaceAll('\n', '\r\n'), after.replaceAll('\n', '\r\n'))).toHaveLength(1);
    expect(newTicks(after, after)).toEqual([]);
    expect(newTicks(after, before)).toEqual([]);
    expect(newTicks(before, `${before}\n- [x] <!-- maestro:pause --> pause`)).toEqual([]);
    expect(newTicks(before, before.replaceAll(/- \[ \].*/g, ''))).toEqual([]);
    expect(newTicks(before, tick(after, 'resume'))).toMatchObject([{ words: 'resume' }, { words: 'retry 1' }]);
  });

  it('mean what the command says', () => {
    for (const words of ['pause', 'resume', 'stop', 'approve abc2345', 'retry 3', 'skip 3', 'redo 3']) {
      const box = `- [ ] <!-- maestro:${words} --> so`;
      expect(newTicks(box, box.replace('[ ]', '[x]'))).toEqual([{ words, command: parseCommand(`/maestro ${words}`) }]);
    }
  });

  it('never come from any text alone', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        expect(newTicks(before, after)).toEqual([]);
      }),
    );
  });

  it('belong to the run in the last line', () => {
    const { id } = aRun();
    expect(runOfStatusComment(`text\n\n<!-- maestro:run/${id} 0123abcd -->\r\n`)).toBe(id);
    expect(runOfStatusComment(`<!-- maestro:run/${id} 0123abcd -->\n\ntext`)).toBeUndefined();
    expect(runOfStatusComment(`<!-- maestro:help/${id} 0123abcd -->`)).toBeUndefined();
  });
});
