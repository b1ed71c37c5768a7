import type { Context } from '../../platform/context.ts';
import type { EventType } from './events.events.ts';
import type { EventRow } from './events.model.ts';

/** What is stored of something that happened. */
export type StoredFact = Pick<EventRow, 'type' | 'mode' | 'session_id' | 'data' | 'created_at'>;

/** A kind of object that events are about, other than messages. The slice that has it says how its events look. */
export interface EventSubject {
  types: readonly EventType[];
  /** The data of such an event by its fact alone, with ids of the API: all there is once the object is gone. */
  fromFact(fact: StoredFact): object;
  /**
   * The data of such events, in the order of their facts: the object as the API shows it, as it was then, with what
   * else the event has. One query for all of them. Absent where facts hold everything.
   */
  show?(ctx: Context, facts: readonly StoredFact[]): Promise<object[]>;
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
      const own = others.filter((row) => isAbout(row, subject));
      const data = own.length === 0 ? [] : await subject.show?.(ctx, own);
      return own.map((row, i) => [row.id, data?.[i] ?? subject.fromFact(row)] as const);
    }),
  );
  return new Map(shown.flat());
}

/** The data of an event that is about no message, by its fact alone. */
export function dataOfFact(subjects: readonly EventSubject[], fact: StoredFact): object {
  return subjects.find((subject) => isAbout(fact, subject))?.fromFact(fact) ?? fact.data;
}

function isAbout({ type }: StoredFact, { types }: EventSubject): boolean {
  return types.some((name) => name === type);
}
