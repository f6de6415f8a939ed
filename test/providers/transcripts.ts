import { readFileSync } from 'node:fs';
import { digestOf } from './digest-of.ts';
import type { AgentEvent } from '../../src/domain/event.ts';
import type { Conclusion, Provider } from '../../src/providers/provider.ts';

/** The lines of a recorded conversation of Claude Code 2.1.330 with the scripted model endpoint, through the gateway. */
export function claudeTranscript(name: string): readonly string[] {
  const file = new URL(`../fixtures/transcripts/claude-code/${name}.jsonl`, import.meta.url);
  return readFileSync(file, 'utf8').trimEnd().split('\n');
}

/** What the scripted agent prints when it succeeds. */
export const SCRIPTED_TRANSCRIPT: readonly string[] = [
  '{"type":"start","conversation":"c-1"}',
  '{"type":"say","text":"I will write a file."}',
  '{"type":"think","text":"One file does it."}',
  '{"type":"tool","id":"call-1","name":"Write","input":{"path":"a.txt"}}',
  '{"type":"tool-result","id":"call-1","ok":true,"output":""}',
  '{"type":"usage","input":1200,"output":40,"cached":0,"costUsd":0}',
  '{"type":"end","ok":true,"text":"Wrote a.txt."}',
];

export interface Replay {
  readonly events: readonly AgentEvent[];
  readonly conclusion: Conclusion;
}

/** Runs recorded lines through a provider's codec. */
export function replay(provider: Provider, lines: readonly string[], code: number | undefined): Replay {
  const events = lines.flatMap((line) => provider.decode(line));
  return { events, conclusion: provider.conclude(digestOf(events), code) };
}
