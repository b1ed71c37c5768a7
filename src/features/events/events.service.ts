import type { Clock } from '../../lib/clock.ts';
import { fromId } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import type { ServerSentEvent } from '../../platform/http/event-stream.ts';
import type { EventHub } from './event-hub.ts';
import type { EventReader } from './event-reader.ts';
import { eventErrors } from './events.errors.ts';
import { hiddenTypes } from './events.events.ts';
import type { EventFilter } from './events.model.ts';
import { type EventList, findEvent, listEvents } from './events.store.ts';
import { followEvents } from './follow-events.ts';
import type { EventView } from './show-event.ts';

/** An event with its UUID, for cursors. */
export interface ListedEvent {
  id: string;
  view: EventView;
}

/**
 * The use cases of events: what happened, in the order in which it was committed. Types that need a scope which the caller
 * lacks (`SCOPE_OF_TYPE`) are not there for them.
 */
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
      const rows = await database.accountOnce(ctx, (tx) =>
        listEvents(tx, ctx, { ...list, hidden: hiddenTypes(ctx.scopes) }),
      );
      const views = await reader.show(ctx, rows);
      return views.map((view, i) => ({ id: rows[i]?.id ?? '', view }));
    },

    async get(ctx, id) {
      const row = await database.accountOnce(ctx, (tx) => findEvent(tx, id));
      const hidden = row === undefined || hiddenTypes(ctx.scopes).includes(row.type);
      const [view] = hidden ? [] : await reader.show(ctx, [row]);
      if (view === undefined) throw eventErrors.notFound();
      return view;
    },

    async follow(ctx, { filter, lastEventId, signal }) {
      const scope = { accountId: ctx.accountId, mode: ctx.mode };
      const id = lastEventId === undefined ? undefined : (fromId('event', lastEventId) ?? '');
      const start =
        id === undefined ? await reader.now(scope) : id === '' ? undefined : await reader.find(scope, id);
      if (start === undefined) throw cannotContinue();
      const visible = { ...filter, hidden: hiddenTypes(ctx.scopes) };
      return followEvents({ reader, hub, clock }, { scope, filter: visible, start, signal });
    },
  };
}

function cannotContinue(): Error {
  return eventErrors.cannotContinue({
    fields: [{ pointer: '?last_event_id', detail: 'is not an event that is kept' }],
  });
}
