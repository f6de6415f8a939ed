import type { Stage } from './stage.ts';

/** One thing that is shown, by itself on an issue of its own. `play` gives what there was to see, in a sentence. */
export interface Scene {
  readonly name: 'ask' | 'verify' | 'redo' | 'pause' | 'budget' | 'failover';
  readonly title: string;
  readonly play: (stage: Stage) => Promise<string>;
}

/** A task of a checklist, and what the scripted agent is to do about it. */
export function task(title: string, ...directives: readonly string[]): readonly string[] {
  return [`- [ ] ${title}`, '', ...directives.map((directive) => `  scripted: ${directive}`)];
}
