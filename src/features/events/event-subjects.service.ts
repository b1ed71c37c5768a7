import type { Context } from '../../platform/context.ts';
import type { EventType } from './events.events.ts';
import type { EventRow } from './events.model.ts';

/** What is stored of something that happened. */
export type StoredFact = Pick<EventRow, 'type' | 'mode' | 'session_id' | 'data' | 'created_at'>;

/** A kind of object that events are about, other than messages. The slice that has it says how its events look. */
export interface EventSubject {
  types: readonly EventType[];
  /**
   * The data of such events, in the order of their facts: the object as the API shows it, as it was then, with what
   * else the event has; of an object that is gone, what the fact holds. One query for all of them at most.
   */
  show(ctx: Context, facts: readonly StoredFact[]): Promise<object[]>;
}

/** The data of those events that are about subjects, by the event's UUID. A page of messages alone costs nothing. */
export async function showSubjects(
  subjects: readonly EventSubject[],
  ctx: Context,
  rows: readonly EventRow[],
): Promise<ReadonlyMap<string, object>> {
  const others = rows.filter(({ message_id: id }) => id === null);
  const shown = await Promise.all(
    subjects.map(async (subject) => {
      const own = others.filter(({ type }) => subject.types.some((name) => name === type));
      const data = own.length === 0 ? [] : await subject.show(ctx, own);
      return own.flatMap(({ id }, i) => (data[i] === undefined ? [] : [[id, data[i]] as const]));
    }),
  );
  return new Map(shown.flat());
}
