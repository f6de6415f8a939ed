import type { AgentEvent } from '../domain/event.ts';

/** Characters of a line that was not understood that are kept: enough to recognise a new format by. */
const UNKNOWN_KEPT = 2_000;

/** Characters kept of what a tool printed; the rest is in the agent's own conversation. */
const OUTPUT_KEPT = 20_000;

/** The JSON object a line holds, or undefined. */
export function parseObject(line: string): object | undefined {
  // Most lines that are no JSON show it at once; an exception for each costs a flooded worker its memory.
  if (!line.startsWith('{') && !/^\s*\{/.test(line)) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/**
 * One line to events, by what its `type` says it is. Never throws; a blank line is nothing, and a line without a type, or for which
 * `decode` gives undefined because it is not as its type promises, is an unknown one.
 */
export function decodeByType(
  line: string,
  decode: (type: string, value: object) => readonly AgentEvent[] | undefined,
): readonly AgentEvent[] {
  const value = parseObject(line);
  if (value === undefined && line.trim() === '') return [];
  // Without a schema: with short lines checking one against another is half of all that is done.
  const type = value !== undefined && 'type' in value ? value.type : undefined;
  return (value !== undefined && typeof type === 'string' ? decode(type, value) : undefined) ?? unknownLine(line);
}

/** The event for a line the codec does not understand, cut to a bounded length. */
export function unknownLine(line: string): readonly AgentEvent[] {
  return [{ type: 'unknown', line: clip(line, UNKNOWN_KEPT) }];
}

/** A tool's output, cut to a bounded length. */
export function clipOutput(output: string): string {
  return clip(output, OUTPUT_KEPT);
}

function clip(text: string, kept: number): string {
  return text.length <= kept ? text : `${text.slice(0, kept).toWellFormed()}… (${text.length - kept} more characters)`;
}
