import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCommand } from '../../src/domain/command.ts';
import { renderStatusComment } from '../../src/domain/report/status-comment.ts';
import { commandOf, newTicks, renderTickBoxes, runOfStatusComment } from '../../src/domain/tick-boxes.ts';
import { aDoneTask, aReport, aRun, aTask } from './report/a-run.ts';

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

  it('say what was ticked since, and nothing that was ticked, written or taken out before', () => {
    const before = renderStatusComment(aReport(failed));
    const after = tick(before, 'retry 1');
    expect(newTicks(before, after)).toEqual([{ verb: 'retry', task: 1 }]);
    expect(newTicks(before.replaceAll('\n', '\r\n'), after.replaceAll('\n', '\r\n'))).toHaveLength(1);
    expect(newTicks(after, after)).toEqual([]);
    expect(newTicks(after, before)).toEqual([]);
    expect(newTicks(before, `${before}\n- [x] <!-- maestro:pause --> pause`)).toEqual([]);
    expect(newTicks(before, before.replaceAll(/- \[ \].*/g, ''))).toEqual([]);
    expect(newTicks(before, tick(after, 'resume'))).toEqual([{ verb: 'resume' }, { verb: 'retry', task: 1 }]);
  });

  it('mean what the command says', () => {
    for (const [ticked, command] of [
      [{ verb: 'pause' }, '/maestro pause'],
      [{ verb: 'resume' }, '/maestro resume'],
      [{ verb: 'stop' }, '/maestro stop'],
      [{ verb: 'retry', task: 3 }, '/maestro retry 3'],
      [{ verb: 'skip', task: 3 }, '/maestro skip 3'],
    ] as const)
      expect(commandOf(ticked)).toEqual(parseCommand(command));
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
