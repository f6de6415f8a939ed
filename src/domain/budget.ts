import { duration, money, tokens } from './report/quantities.ts';

/*
 * How much may be spent, as people write it: `$5`, `2M tokens`, `3h`, or several of them. What is spent is told apart by unit: an
 * amount limits those it names.
 */

/** US dollars, tokens of all kinds, milliseconds of agents' time. What is missing has no limit. */
export interface Amount {
  readonly usd?: number;
  readonly tokens?: number;
  readonly ms?: number;
}

export type Unit = keyof Amount;

export const UNITS: readonly Unit[] = ['usd', 'tokens', 'ms'];

/** What a playbook, or a repository for its playbooks, lets a run spend in all, and each of its tasks. */
export interface Budget {
  readonly run?: Amount;
  readonly task?: Amount;
}

/**
 * What a limit counts: one session, a task since a person last asked for it, the whole run, and a UTC day of one repository or of
 * all. A limit of a day goes by by itself.
 */
export type Scope = 'session' | 'task' | 'run' | 'repository-day' | 'day';

/** The operator's limits. */
export type OperatorBudget = Readonly<Partial<Record<Scope, Amount>>>;

/** The most of each unit that can be written: beyond it somebody mistook the unit. */
const MOST: Required<Amount> = { usd: 100_000, tokens: 1e12, ms: 31 * 24 * 3_600_000 };

/** How each unit is written. A number alone is dollars. */
export const AMOUNT_PATTERNS: Readonly<Record<Unit, RegExp>> = {
  usd: /^\$? ?\d{1,6}(?:\.\d{1,4})?$/,
  tokens: /^\d{1,12}(?:\.\d{1,3})? ?[kKM]? ?tokens$/,
  ms: /^(?:\d{1,5}[smhd])+$/,
};

const TIMES: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MULTIPLES: Readonly<Record<string, number>> = { k: 1_000, K: 1_000, M: 1_000_000 };

/** The amount that is written as `parts`, one for each unit; undefined when one can't be read, is out of bounds, or there are two of a unit. */
export function amountOf(parts: readonly (string | number)[]): Amount | undefined {
  const amount: { [unit in Unit]?: number } = {};
  for (const part of parts) {
    const text = String(part).trim();
    const unit = UNITS.find((one) => AMOUNT_PATTERNS[one].test(text));
    if (unit === undefined || amount[unit] !== undefined) return undefined;
    const value = READERS[unit](text);
    if (!(value > 0 && value <= MOST[unit])) return undefined;
    amount[unit] = value;
  }
  return parts.length === 0 ? undefined : amount;
}

/** As {@link amountOf}, of parts with commas in between. */
export function parseAmount(text: string): Amount | undefined {
  return amountOf(text.split(','));
}

const READERS: Readonly<Record<Unit, (text: string) => number>> = {
  usd: (text) => Number(text.replace('$', '')),
  tokens: (text) => {
    const [, count = '', multiple = ''] = /^([\d.]+) ?([kKM]?)/.exec(text) ?? [];
    return Math.round(Number(count) * (MULTIPLES[multiple] ?? 1));
  },
  ms: (text) =>
    [...text.matchAll(/(\d+)([smhd])/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * (TIMES[unit ?? ''] ?? 0),
      0,
    ),
};

/** Both amounts together. */
export function addAmounts(a: Amount, b: Amount): Amount {
  const sums = UNITS.flatMap((unit) => {
    const sum = (a[unit] ?? 0) + (b[unit] ?? 0);
    return sum === 0 ? [] : [[unit, sum] as const];
  });
  return Object.fromEntries(sums);
}

/** `$5.00`, `2.0M tokens`, `3 h`. */
export function formatUnit(unit: Unit, value: number): string {
  if (unit === 'usd') return money(value);
  return unit === 'tokens' ? `${tokens(value)} tokens` : duration(value);
}

/** An amount as people read it: `$5.00, 2.0M tokens`. */
export function formatAmount(amount: Amount): string {
  return UNITS.flatMap((unit) => {
    const value = amount[unit];
    return value === undefined ? [] : [formatUnit(unit, value)];
  }).join(', ');
}
