import type { Context } from '../../platform/context.ts';
import type { Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Log } from '../../platform/log/log.ts';
import { type EventSubject, showSubjects } from './event-subjects.service.ts';
import type { EventFilter, EventRow, EventScope, Position } from './events.model.ts';
import * as store from './events.store.ts';
import { openSealedData } from './open-sealed-data.ts';
import { type EventView, type ShownMessage, showEvent, showMessageData } from './show-event.ts';

/** Messages by UUID as they are now; those that are gone are absent. */
export type LoadMessages = (
  ctx: Context,
  ids: readonly string[],
) => Promise<ReadonlyMap<string, ShownMessage>>;

/** An event as streams pass it on. */
export interface ReadEvent {
  row: EventRow;
  view: EventView;
  /** The view as JSON, made once for all who get it. */
  json: string;
}

export interface EventPage {
  events: ReadEvent[];
  /** Whether there may be more to read at once. */
  full: boolean;
  /** Whether events are visible that may still be overtaken: they can be read a moment later. */
  unsettled: boolean;
}

/** Reads events in their lasting order. */
export interface EventReader {
  /** Events after a position that nothing can overtake any more. */
  after(
    scope: EventScope,
    from: { position: Position; filter: EventFilter; limit: number },
  ): Promise<EventPage>;
  /** The place behind everything that can be read now. */
  now(scope: EventScope): Promise<Position>;
  /** Where an event stands; `undefined` where it is not known or no longer kept. */
  find(scope: EventScope, id: string): Promise<Position | undefined>;
  show(ctx: Context, rows: readonly EventRow[]): Promise<EventView[]>;
}

export function createEventReader(deps: {
  database: Database;
  vault: Pick<Vault, 'of'>;
  loadMessages: LoadMessages;
  /** What events are about besides messages. */
  subjects: readonly EventSubject[];
  log: Log;
}): EventReader {
  const { database, vault, loadMessages, subjects, log } = deps;

  async function messagesOf(ctx: Context, rows: readonly EventRow[]) {
    const ids = rows.flatMap(({ message_id: id }) => (id === null ? [] : [id]));
    return ids.length === 0 ? new Map<string, ShownMessage>() : loadMessages(ctx, [...new Set(ids)]);
  }

  async function show(ctx: Context, rows: readonly EventRow[]): Promise<EventView[]> {
    const [messages, others] = await Promise.all([messagesOf(ctx, rows), showSubjects(subjects, ctx, rows)]);
    const opened = await openSealedData(vault, ctx.accountId, rows);
    return opened.map((row) =>
      row.message_id === null
        ? showEvent(row, others.get(row.id) ?? row.data)
        : showEvent(row, showMessageData(row, row.message_id, messages.get(row.message_id))),
    );
  }

  return {
    show,

    async after(scope, from) {
      const rows = await database.accountOnce(scope, (tx) => store.eventsAfter(tx, scope, from));
      const settled = rows.filter((row) => row.settled);
      const views = await show(readerContext(scope, log), settled);
      const events = settled.flatMap((row, i) => {
        const view = views[i];
        return view === undefined ? [] : [{ row, view, json: JSON.stringify(view) }];
      });
      return { events, full: settled.length === from.limit, unsettled: settled.length < rows.length };
    },

    now: (scope) => database.accountOnce(scope, store.currentPosition),

    async find(scope, id) {
      const row = await database.accountOnce(scope, (tx) => store.findEvent(tx, id));
      return row && { txid: row.txid, id: row.id };
    },
  };
}

/** One reading serves all streams of an account, so it is nobody's request. */
function readerContext({ accountId, mode }: EventScope, log: Log): Context {
  return {
    accountId,
    mode,
    actor: { type: 'system', name: 'events' },
    scopes: new Set(),
    requestId: '',
    log,
  };
}
