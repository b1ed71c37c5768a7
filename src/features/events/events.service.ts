import type { Clock } from '../../lib/clock.ts';
import { fromId } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import type { ServerSentEvent } from '../../platform/http/event-stream.ts';
import type { EventHub } from './event-hub.ts';
import type { EventReader } from './event-reader.ts';
import { eventErrors } from './events.errors.ts';
import type { EventFilter } from './events.model.ts';
import { type EventList, findEvent, listEvents } from './events.store.ts';
import { followEvents } from './follow-events.ts';
import type { EventView } from './show-event.ts';

/** An event with its UUID, for cursors. */
export interface ListedEvent {
  id: string;
  view: EventView;
}

/** The use cases of events: what happened, in the order in which it was committed. */
export interface EventsService {
  /** Newest first. An event appears once nothing can come before it any more, usually within milliseconds. */
  list(ctx: Context, list: EventList): Promise<ListedEvent[]>;
  /** @throws event.not_found */
  get(ctx: Context, id: string): Promise<EventView>;
  /**
   * New events as they come.
   * @param lastEventId public id of the last event that the reader has; without it, from now on
   * @throws event.cannot_continue where that event is not known or no longer kept
   */
  follow(
    ctx: Context,
    stream: { filter: EventFilter; lastEventId: string | undefined; signal: AbortSignal },
  ): Promise<AsyncIterable<ServerSentEvent>>;
}

export interface EventsDependencies {
  database: Database;
  reader: EventReader;
  hub: EventHub;
  clock: Clock;
}

export function createEventsService({ database, reader, hub, clock }: EventsDependencies): EventsService {
  return {
    async list(ctx, list) {
      const rows = await database.accountOnce(ctx, (tx) => listEvents(tx, ctx, list));
      const views = await reader.show(ctx, rows);
      return views.map((view, i) => ({ id: rows[i]?.id ?? '', view }));
    },

    async get(ctx, id) {
      const row = await database.accountOnce(ctx, (tx) => findEvent(tx, id));
      const [view] = row === undefined ? [] : await reader.show(ctx, [row]);
      if (view === undefined) throw eventErrors.notFound();
      return view;
    },

    async follow(ctx, { filter, lastEventId, signal }) {
      const scope = { accountId: ctx.accountId, mode: ctx.mode };
      const id = lastEventId === undefined ? undefined : (fromId('event', lastEventId) ?? '');
      const start =
        id === undefined ? await reader.now(scope) : id === '' ? undefined : await reader.find(scope, id);
      if (start === undefined) throw cannotContinue();
      return followEvents({ reader, hub, clock }, { scope, filter, start, signal });
    },
  };
}

function cannotContinue(): Error {
  return eventErrors.cannotContinue({
    fields: [{ pointer: '?last_event_id', detail: 'is not an event that is kept' }],
  });
}
