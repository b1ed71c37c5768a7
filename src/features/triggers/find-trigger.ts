import { LRUCache } from 'lru-cache';
import { isActive } from './active-hours.ts';
import { createMatcher, type Matcher } from './match-text.ts';
import { TextToMatch } from './text-to-match.ts';
import type { TriggerRow } from './triggers.model.ts';
import { Turns } from './turns.ts';

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

export interface Search {
  /** In the order in which they are asked. */
  triggers: readonly TriggerRow[];
  incoming: Incoming;
  /** Whether a trigger that matches may fire; `rest` are those after it that have still to be compared. */
  mayFire: (trigger: TriggerRow, rest: readonly TriggerRow[]) => Promise<boolean>;
}

export interface Found {
  /** The first that matches and may fire. */
  trigger: TriggerRow | undefined;
  /** Those that were not looked at, because the ones before them took too long. */
  skipped: readonly TriggerRow[];
  /** What it took of the processor, in milliseconds. */
  cpuMs: number;
}

export type FindTrigger = (search: Search) => Promise<Found>;

/**
 * What all triggers together may take of the processor for one message, in milliseconds. Not of the clock: on a machine
 * that is busy otherwise no trigger is left out.
 */
export const MOST_CPU_MS = 500;

/** The largest take some 150 KB each. */
const MOST_COMPILED = 1_000;

/** @param cpuMs what this process has taken of the processor, in milliseconds */
export function createFindTrigger(cpuMs: () => number): FindTrigger {
  const matcherOf = createMatchers();
  const turns = new Turns();

  return async ({ triggers, incoming, mayFire }) => {
    const text = incoming.text === null ? null : new TextToMatch(incoming.text);
    const fitting = triggers.filter((trigger) => isFor(trigger, incoming));
    let spent = 0;
    for (const [index, trigger] of fitting.entries()) {
      if (spent >= MOST_CPU_MS) return { trigger: undefined, skipped: fitting.slice(index), cpuMs: spent };
      const turn = turns.take();
      if (turn !== undefined) await turn;
      const before = cpuMs();
      const matches = matcherOf(trigger)(text);
      const took = cpuMs() - before;
      spent += took;
      turns.spend(took);
      if (matches && (await mayFire(trigger, fitting.slice(index + 1)))) {
        return { trigger, skipped: [], cpuMs: spent };
      }
    }
    return { trigger: undefined, skipped: [], cpuMs: spent };
  };
}

/** What costs next to nothing. */
function isFor(trigger: TriggerRow, { sessionId, inGroup, at }: Incoming): boolean {
  return (
    (trigger.session_ids === null || trigger.session_ids.includes(sessionId)) &&
    (!inGroup || trigger.include_groups) &&
    (trigger.active_hours === null || isActive(trigger.active_hours, at))
  );
}

type Matches = Extract<Matcher, { ok: true }>['matches'];

/** Compiles each trigger once for as long as it stays as it is. */
function createMatchers(): (trigger: TriggerRow) => Matches {
  const compiled = new LRUCache<string, Matches>({ max: MOST_COMPILED });
  return (trigger) => {
    const key = `${trigger.id}/${trigger.updated_at.getTime()}`;
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const made = createMatcher(trigger);
    const matches = made.ok ? made.matches : () => false;
    compiled.set(key, matches);
    return matches;
  };
}
