import { describe, expect, it } from 'vitest';
import type { Run } from '../../src/domain/run.ts';
import { Seats, type Seat } from '../../src/workers/seats.ts';

const NOW = 1_800_000_000_000;

/** A run that was at hand when so many workers died. */
function after(deaths: number): Run {
  return { setbacks: { tries: 0, waits: 0, lives: 0, deaths } } as Run;
}

function seated(seats: Seats, run: Run): Seat {
  const entry = seats.enter(run, NOW);
  if (entry.kind !== 'seat') throw new Error(`no seat: ${entry.kind}`);
  return entry.seat;
}

describe('the seats at a worker', () => {
  it('take any number of ordinary runs', () => {
    const seats = new Seats(() => {});
    const entries = [0, 1, 0, 1, 0].map((deaths) => seats.enter(after(deaths), NOW).kind);
    expect(entries).toEqual(['seat', 'seat', 'seat', 'seat', 'seat']);
  });

  it('take a suspect only when nobody is there, and nobody beside it until it got further or left', async () => {
    const seats = new Seats(() => {});
    const ordinary = seated(seats, after(0));
    expect(seats.enter(after(2), NOW)).toMatchObject({ kind: 'wait' });
    ordinary.leave();

    const suspect = seated(seats, after(2));
    expect(seats.enter(after(0), NOW)).toEqual({ kind: 'closed' });
    expect(seats.enter(after(3), NOW)).toMatchObject({ kind: 'wait' });
    const changed = seats.changed();
    suspect.review(after(2));
    expect(seats.enter(after(0), NOW)).toEqual({ kind: 'closed' });
    suspect.review(after(0));
    await changed;
    seated(seats, after(0)).leave();

    suspect.leave();
    const another = seated(seats, after(2));
    another.leave();
    another.leave();
    seated(seats, after(0));
  });

  it('go to who waits as soon as nobody is there', () => {
    let given: Seat | undefined;
    const seats = new Seats((take) => {
      given ??= take();
    });
    const [one, two] = [seated(seats, after(0)), seated(seats, after(0))];
    one.leave();
    expect(given).toBeUndefined();
    two.leave();
    expect(given).toBeDefined();
    expect(seats.enter(after(0), NOW)).toEqual({ kind: 'closed' });
  });

  it('are closed to others while somebody out of patience waits for his turn', async () => {
    const seats = new Seats(() => {});
    const ordinary = seated(seats, after(0));
    const turn = seats.turn(new AbortController().signal);
    expect(seats.enter(after(0), NOW)).toEqual({ kind: 'closed' });
    await expect(seats.turn(new AbortController().signal)).resolves.toBeUndefined();
    ordinary.leave();
    const seat = await turn;
    expect(seats.enter(after(0), NOW)).toEqual({ kind: 'closed' });
    seat?.leave();
    seated(seats, after(0));
  });

  it('are open again when who waited for his turn was called away', async () => {
    const seats = new Seats(() => {});
    const ordinary = seated(seats, after(0));
    const away = new AbortController();
    const turn = seats.turn(away.signal);
    away.abort();
    await expect(turn).resolves.toBeUndefined();
    seated(seats, after(0));
    ordinary.leave();
  });
});
