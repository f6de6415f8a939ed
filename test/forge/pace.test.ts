import { expect, it } from 'vitest';
import { createPace } from '../../src/forge/github/pace.ts';
import { ForgeError } from '../../src/forge/forge.ts';
import { createTestClock } from './scripted-github.ts';

const MINUTE = 60_000;

it('lets a burst through at once, and what is left out is rarer long before an hour is used up', async () => {
  const clock = createTestClock();
  const pace = createPace({ clock, perMinute: 70, perHour: 450 });
  for (let count = 0; count < 70; count += 1) await pace.turn('write');

  expect(pace.room()).toBe(0);

  clock.advance(MINUTE);
  // Of the half of the hour's measure that edits in between share, 70 of 225 were taken and 3.75 have come back.
  expect(pace.room()).toBeCloseTo(1 - (70 - 3.75) / 225, 2);
});

it('never writes more in an hour than it may: who comes then is told when to come again', async () => {
  const clock = createTestClock();
  const pace = createPace({ clock, perMinute: 10, perHour: 30 });
  for (let count = 0; count < 30; count += 1) {
    if (count % 10 === 0) clock.advance(MINUTE);
    await pace.turn('write');
  }
  clock.advance(MINUTE);

  expect(pace.room()).toBe(0);
  const refused = await pace.turn('open a pull request').then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(ForgeError);
  expect(refused).toMatchObject({ kind: 'limited' });
  const inMs = ((refused as ForgeError).retryAt ?? 0) - clock.now();
  expect(inMs / MINUTE).toBeCloseTo(57, 1);

  clock.advance(inMs);
  await pace.turn('open a pull request');
});
