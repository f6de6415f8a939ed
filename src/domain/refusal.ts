/** A request we understood and will not carry out. Said once, in one sentence, where it was made. */
export interface Refusal {
  readonly reason:
    | 'not-permitted'
    | 'nothing-to-do'
    | 'already-running'
    | 'bad-playbook'
    | 'bad-command'
    | 'unknown-provider'
    | 'conflicting-labels'
    | 'fork'
    | 'no-run'
    | 'no-conversation'
    | 'empty-repository'
    | 'too-large'
    | 'not-found';
  /** One sentence for the person, saying what to do where something can be done. */
  readonly message: string;
  /** Issues and pull requests the message refers to, as `#12`: these become links, other numbers do not. */
  readonly refersTo?: readonly number[];
}

/** For a command that can't be carried out as it stands. */
export function badCommand(message: string): Refusal {
  return { reason: 'bad-command', message };
}

/** For a command about a run, where there is none. */
export function noRun(message: string): Refusal {
  return { reason: 'no-run', message };
}
