import type { Scene } from './scene.ts';
import { ask } from './scenes/ask.ts';
import { budget } from './scenes/budget.ts';
import { failover } from './scenes/failover.ts';
import { pause } from './scenes/pause.ts';
import { redo } from './scenes/redo.ts';
import { verify } from './scenes/verify.ts';

/** What the demonstration shows of conducting a run, in this order. */
export const SCENES: readonly Scene[] = [ask, verify, redo, pause, budget, failover];
