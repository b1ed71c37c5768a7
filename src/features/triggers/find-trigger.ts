import { LRUCache } from 'lru-cache';
import { isActive } from './active-hours.ts';
import { createMatcher } from './match-text.ts';
import type { TriggerRow } from './triggers.model.ts';

/** What triggers look at. */
export interface Incoming {
  /** UUID. */
  sessionId: string;
  /** Null where it has no text. */
  text: string | null;
  inGroup: boolean;
  /** When it is looked at. */
  at: Date;
}

/** The triggers that are for a message, in the order given. */
export type FindTriggers = (triggers: readonly TriggerRow[], incoming: Incoming) => TriggerRow[];

type Matches = (text: string | null) => boolean;

/** Compiles each trigger once for as long as it stays as it is. */
export function createFindTriggers(): FindTriggers {
  const compiled = new LRUCache<string, Matches>({ max: 2_000 });

  function matcherOf(trigger: TriggerRow): Matches {
    const key = `${trigger.id}/${trigger.updated_at.getTime()}`;
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const made = createMatcher(trigger);
    const matches = made.ok ? made.matches : () => false;
    compiled.set(key, matches);
    return matches;
  }

  return (triggers, { sessionId, text, inGroup, at }) =>
    triggers.filter(
      (trigger) =>
        (trigger.session_ids === null || trigger.session_ids.includes(sessionId)) &&
        (!inGroup || trigger.include_groups) &&
        (trigger.active_hours === null || isActive(trigger.active_hours, at)) &&
        matcherOf(trigger)(text),
    );
}
