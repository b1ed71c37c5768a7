import type { Mode } from '../../lib/mode.ts';

/**
 * A place in an account's events. Events are ordered by the transaction that wrote them, then by id: ids alone are
 * not in commit order, so a reader that remembered an id could miss an event that was committed later.
 */
export interface Position {
  /** 64-bit transaction id (Postgres `xid8`), in decimal. */
  txid: string;
  /** UUID. */
  id: string;
}

export interface EventScope {
  accountId: string;
  mode: Mode;
}

/** An event as stored. */
export interface EventRow extends Position {
  mode: Mode;
  type: string;
  session_id: string | null;
  message_id: string | null;
  data: Record<string, unknown>;
  created_at: Date;
}

/** Which events are wanted; what is left out does not matter. */
export interface EventFilter {
  types?: TypeFilter | undefined;
  /** Types that the reader may not see. */
  hidden?: readonly string[] | undefined;
  /** UUID. */
  sessionId?: string | undefined;
  /** UUID. */
  messageId?: string | undefined;
}

/** Types by name, or by what they start with. */
export interface TypeFilter {
  exact: string[];
  prefixes: string[];
}

const TYPE = /^[a-z_]+(\.[a-z_]+)*(\.\*)?$/;

/** Reads `message.*,session.status`; `undefined` where it is no such list. */
export function parseTypeFilter(text: string): TypeFilter | undefined {
  const parts = text.split(',').map((part) => part.trim());
  if (!parts.every((part) => TYPE.test(part))) return undefined;
  return {
    exact: parts.filter((part) => !part.endsWith('*')),
    prefixes: parts.filter((part) => part.endsWith('*')).map((part) => part.slice(0, -1)),
  };
}

/** Whether a filter lets an event through; the database applies the same rule when it reads pages. */
export function matchesFilter(
  event: Pick<EventRow, 'type' | 'session_id' | 'message_id'>,
  { types, hidden, sessionId, messageId }: EventFilter,
): boolean {
  if (hidden?.includes(event.type)) return false;
  if (
    types &&
    !types.exact.includes(event.type) &&
    !types.prefixes.some((start) => event.type.startsWith(start))
  ) {
    return false;
  }
  return (
    (sessionId === undefined || event.session_id === sessionId) &&
    (messageId === undefined || event.message_id === messageId)
  );
}

/** Negative where `a` comes before `b`, zero where they are the same place. */
export function comparePositions(a: Position, b: Position): number {
  if (a.txid !== b.txid) return BigInt(a.txid) < BigInt(b.txid) ? -1 : 1;
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}
