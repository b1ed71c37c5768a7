import { Readable } from 'node:stream';
import { z } from 'zod';

/** One server-sent event (WHATWG HTML §9.2). */
export interface ServerSentEvent {
  id?: string;
  event?: string;
  /** Sent as JSON; a string is taken to be JSON already. */
  data: unknown;
}

export interface EventStreamOptions {
  /** Comment that keeps proxies from closing a quiet stream, in milliseconds. */
  heartbeatMs: number;
  /** Ends the stream. */
  signal: AbortSignal;
}

/** How long a browser waits before it reconnects, in milliseconds. */
const RECONNECT_MS = 2_000;

/**
 * Puts events on the wire as they come. The source is asked for the next event only while the connection takes
 * data, so a slow reader holds nothing in memory here.
 */
export function toEventStream(events: AsyncIterable<ServerSentEvent>, options: EventStreamOptions): Readable {
  return Readable.from(frames(events, options), { objectMode: false });
}

async function* frames(
  events: AsyncIterable<ServerSentEvent>,
  { heartbeatMs, signal }: EventStreamOptions,
): AsyncGenerator<string> {
  const source = events[Symbol.asyncIterator]();
  try {
    yield `retry: ${RECONNECT_MS}\n\n`;
    let next = source.next();
    while (!signal.aborted) {
      const first = await firstOf(next, heartbeatMs, signal);
      if (first === 'quiet') {
        yield ': heartbeat\n\n';
      } else if (first === 'aborted' || first.done === true) {
        return;
      } else {
        yield frameOf(first.value);
        next = source.next();
      }
    }
  } finally {
    // Not awaited: a source that waits for its next event ends only once it sees the signal.
    source.return?.().catch(() => undefined);
  }
}

/** Query parameters that every stream takes; spread into its query schema. */
export const streamQuery = {
  last_event_id: z.string().max(100).optional().meta({
    description: 'Continue after this event; the `Last-Event-ID` header, which browsers send, comes first.',
    example: 'evt_01h455vb4pex5vsknk084sn02q',
  }),
};

const streamQuerySchema = z.object(streamQuery);

/** The last event that a reconnecting reader has seen. A browser keeps the first query, so its header is newer. */
export function lastEventIdOf(request: {
  headers: Readonly<Record<string, unknown>>;
  query: unknown;
}): string | undefined {
  const header = request.headers['last-event-id'];
  if (typeof header === 'string' && header !== '') return header;
  return streamQuerySchema.safeParse(request.query).data?.last_event_id;
}

/** The text of one event. JSON holds no raw line break, so `data` is one line. */
export function frameOf({ id, event, data }: ServerSentEvent): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`;
}

function firstOf<T>(
  next: Promise<T>,
  quietMs: number,
  signal: AbortSignal,
): Promise<T | 'quiet' | 'aborted'> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle('quiet'), quietMs);
    const onAbort = () => settle('aborted');
    const settle = (value: T | 'quiet' | 'aborted') => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      resolve(value);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    next.then(settle, (error: unknown) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      reject(error instanceof Error ? error : new Error(String(error)));
    });
  });
}
