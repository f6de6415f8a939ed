import { readFileSync } from 'node:fs';
import { digestOf } from './digest-of.ts';
import type { AgentEvent } from '../../src/domain/event.ts';
import type { ModelRefusal } from '../../src/domain/model-refusal.ts';
import type { Conclusion, Provider } from '../../src/providers/provider.ts';

const FIXTURES = new URL('../fixtures/transcripts/', import.meta.url);

/** The lines of a real CLI's conversation with the scripted model endpoint, through the gateway (`npm run record`). */
export function transcript(provider: string, name: string): readonly string[] {
  const text = readFileSync(new URL(`${provider}/${name}.jsonl`, FIXTURES), 'utf8').trimEnd();
  return text === '' ? [] : text.split('\n');
}

/** The same, of Claude Code 2.1.330. */
export function claudeTranscript(name: string): readonly string[] {
  return transcript('claude-code', name);
}

/** What is known of a provider's recorded conversations beside their lines. */
export interface Recorded {
  readonly package: string;
  readonly version: string;
  readonly scenarios: Readonly<Record<string, { readonly code: number; readonly refusal?: RecordedRefusal }>>;
}

interface RecordedRefusal {
  readonly status?: number;
  readonly code?: string;
  readonly waitMs?: number;
}

/** Reads `recorded.json` of a provider. */
export function recorded(provider: string): Recorded {
  return JSON.parse(readFileSync(new URL(`${provider}/recorded.json`, FIXTURES), 'utf8')) as Recorded;
}

/** Moment of the recorded refusals, as far as the tests are concerned. */
export const REFUSED_AT = 1_795_000_000_000;

/** What the gateway saw, as it told it. */
export function refusalOf(of: RecordedRefusal | undefined): ModelRefusal | undefined {
  return (
    of && {
      status: of.status,
      code: of.code,
      at: REFUSED_AT,
      resetAt: of.waitMs === undefined ? undefined : REFUSED_AT + of.waitMs,
    }
  );
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
export function replay(
  provider: Provider,
  lines: readonly string[],
  code: number | undefined,
  refusal?: ModelRefusal,
): Replay {
  const events = lines.flatMap((line) => provider.decode(line));
  return { events, conclusion: provider.conclude(digestOf(events), code, refusal) };
}
