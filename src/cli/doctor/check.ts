/** What the doctor found of one thing. */
export interface Check {
  /** What was looked at, in a word or two. */
  readonly name: string;
  /** `warning`: it works, but not as well as it should. `skipped`: it could not be looked at, because something before it failed. */
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly detail: string;
  /** What to do about it. */
  readonly advice?: string;
}

/** Something the doctor looks at. */
export interface Examination {
  readonly name: string;
  /** What to do when it can't be done at all. */
  readonly advice?: string;
  /** Gives one check or several. What it throws becomes a failed check with the error's message. */
  readonly examine: () => Promise<readonly Check[]>;
}

/** Longest an examination may take: a container, and an agent in it that talks to its model once. Milliseconds. */
const PATIENCE_MS = 180_000;

/** Does one examination; never rejects. */
export async function examine({ name, advice, examine: look }: Examination): Promise<readonly Check[]> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${PATIENCE_MS / 1000} seconds`)), PATIENCE_MS);
  try {
    return await Promise.race([look(), late.promise]);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return [{ name, state: 'failed', detail, ...(advice === undefined ? {} : { advice }) }];
  } finally {
    clearTimeout(timer);
  }
}

const SIGNS = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ', skipped: 'skipped' } as const;

/** A check as lines for people, without the control characters a terminal would obey. */
export function checkLines({ name, state, detail, advice }: Check): string {
  const lines = [`${SIGNS[state]}  ${name}: ${plain(detail)}`];
  if (advice !== undefined) lines.push(`         → ${plain(advice)}`);
  return `${lines.join('\n')}\n`;
}

function plain(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/\p{Cc}/gu, '\uFFFD');
}
