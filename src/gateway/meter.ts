import { StringDecoder } from 'node:string_decoder';
import { Transform } from 'node:stream';
import { z } from 'zod';
import { createFrameReader } from './event-frames.ts';
import { NO_READING, type Reading } from './reading.ts';
import { saysError, streamError } from './stream-error.ts';
import { readUsage, USAGE_MARK } from './protocol-usage.ts';
import type { ModelProtocol } from './routes.ts';
import { decodeJson } from './decode-json.ts';

/**
 * Bytes of one server-sent event, or of a whole JSON answer, that are kept to read usage from. The largest is OpenAI's
 * `response.completed`, which repeats the whole output; model outputs are below 1 MB.
 */
const LARGEST_PIECE = 16 * 1024 * 1024;

/**
 * A stream that passes a model response through unchanged and as it comes, and tells `report` every time the response says
 * more about what it consumed. Holds at most one event of a `text/event-stream`, or the one JSON body.
 */
export function createMeter(options: {
  readonly protocol: ModelProtocol;
  readonly contentType: string | undefined;
  readonly report: (reading: Reading) => void;
  /** Told the endpoint's word for it when a stream that began well ends with an error. */
  readonly failed: (code: string) => void;
}): Transform {
  const { protocol } = options;
  let reading = NO_READING;
  const take = (text: string): void => {
    if (saysError(text)) {
      const code = streamError(decodeJson(text));
      if (code !== undefined) options.failed(code);
    }
    const next = readUsage(protocol, decodeJson(text), reading);
    if (next === reading) return;
    reading = next;
    options.report(reading);
  };
  if (/^application\/vnd\.amazon\.eventstream\b/i.test(options.contentType ?? ''))
    return frameMeter(take, options.failed);
  const streamed = /^text\/event-stream\b/i.test(options.contentType ?? '');
  const split = streamed ? eventLines(protocol, take) : wholeBody(take);
  const decoder = new StringDecoder('utf8');
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      split.write(decoder.write(chunk));
      done(null, chunk);
    },
    flush(done) {
      split.write(decoder.end());
      split.end();
      done();
    },
  });
}

/** Each message of Bedrock's stream holds one event of the Anthropic API, in base64; one that is an exception ends it. */
function frameMeter(take: (text: string) => void, failed: (code: string) => void): Transform {
  const read = createFrameReader(({ headers, payload }) => {
    const exception = headers[':exception-type'] ?? headers[':error-code'];
    if (exception !== undefined) return failed(exception);
    const bytes = frameBody.safeParse(decodeJson(payload.toString('utf8'))).data?.bytes;
    if (bytes === undefined) return;
    const text = Buffer.from(bytes, 'base64').toString('utf8');
    if (text.includes(USAGE_MARK.bedrock) || saysError(text)) take(text);
  });
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      read(chunk);
      done(null, chunk);
    },
  });
}

const frameBody = z.object({ bytes: z.string() });

interface Splitter {
  write(text: string): void;
  end(): void;
}

/** Cuts a stream into lines and takes the data of those that may hold usage. All three protocols put an event's data on one line. */
function eventLines(protocol: ModelProtocol, take: (text: string) => void): Splitter {
  let parts: string[] = [];
  let size = 0;
  const line = (): void => {
    const text = size > LARGEST_PIECE ? '' : parts.join('');
    parts = [];
    size = 0;
    if (text.startsWith('data:') && (text.includes(USAGE_MARK[protocol]) || saysError(text)))
      take(text.slice('data:'.length));
  };
  const add = (part: string): void => {
    size += part.length;
    if (size <= LARGEST_PIECE) parts.push(part);
    else parts = [];
  };
  return {
    write(text) {
      const [first = '', ...lines] = text.split(/\r\n|[\r\n]/);
      add(first);
      for (const next of lines) {
        line();
        add(next);
      }
    },
    end: line,
  };
}

function wholeBody(take: (text: string) => void): Splitter {
  let parts: string[] = [];
  let size = 0;
  return {
    write(text) {
      size += text.length;
      if (size <= LARGEST_PIECE) parts.push(text);
      else parts = [];
    },
    end() {
      if (size > 0 && size <= LARGEST_PIECE) take(parts.join(''));
    },
  };
}
