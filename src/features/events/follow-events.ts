import type { Clock } from '../../lib/clock.ts';
import type { ServerSentEvent } from '../../platform/http/event-stream.ts';
import type { EventHub } from './event-hub.ts';
import type { EventReader, ReadEvent } from './event-reader.ts';
import {
  comparePositions,
  type EventFilter,
  type EventScope,
  matchesFilter,
  type Position,
} from './events.model.ts';

const PAGE = 100;
/** Pause before another try when the database cannot be read in the middle of a stream. */
const RETRY_MS = 1_000;

export interface Follow {
  scope: EventScope;
  filter: EventFilter;
  /** The last place that the reader has seen. */
  start: Position;
  signal: AbortSignal;
}

/**
 * Every event after the start, each once and in order, for as long as the signal allows. It reads pages from the
 * database until it has caught up, then takes what the hub passes on; a reader that is too slow for the hub goes
 * back to pages. The subscription begins before the pages are read, so that nothing falls between the two.
 */
export async function* followEvents(
  deps: { reader: EventReader; hub: EventHub; clock: Clock },
  { scope, filter, start, signal }: Follow,
): AsyncGenerator<ServerSentEvent> {
  const subscription = await deps.hub.subscribe(scope);
  const end = () => subscription.close();
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  let position = start;
  try {
    while (!signal.aborted) {
      for await (const event of pages(deps, { scope, filter, start: position, signal })) {
        position = event.row;
        yield toServerSent(event);
      }
      for (let live = await subscription.next(); Array.isArray(live); live = await subscription.next()) {
        for (const event of live) {
          if (comparePositions(event.row, position) <= 0) continue;
          position = event.row;
          if (matchesFilter(event.row, filter)) yield toServerSent(event);
        }
      }
    }
  } finally {
    signal.removeEventListener('abort', end);
    end();
  }
}

/** Pages until there is nothing more to read. */
async function* pages(
  { reader, clock }: { reader: EventReader; clock: Clock },
  { scope, filter, start, signal }: Follow,
): AsyncGenerator<ReadEvent> {
  let position = start;
  while (!signal.aborted) {
    try {
      const page = await reader.after(scope, { position, filter, limit: PAGE });
      yield* page.events;
      position = page.events.at(-1)?.row ?? position;
      if (!page.full) return;
    } catch {
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
}

function toServerSent({ view, json }: ReadEvent): ServerSentEvent {
  return { id: view.id, event: view.type, data: json };
}
