import { EVENT_TYPES, type EventType } from '../events/events.events.ts';

/** The names of every type of event, in the order in which they are documented. */
export const EVENT_TYPE_NAMES = Object.keys(EVENT_TYPES).filter(isEventType);

/** Whether there are events of this type. */
export function isEventType(text: string): text is EventType {
  return Object.hasOwn(EVENT_TYPES, text);
}

/** Whether a pattern (a name, `*`, or a prefix such as `message.*`) names at least one type that there is. */
export function isEventPattern(text: string): boolean {
  return EVENT_TYPE_NAMES.some((name) => patternCovers(text, name));
}

/** Whether a pattern names a type; the database asks the same of events (`app.wants_event`). */
export function patternCovers(pattern: string, type: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : pattern === type;
}

/** Why a pattern was refused. */
export const UNKNOWN_EVENT_TYPE = `is no type of event; use \`*\`, a prefix such as \`message.*\`, or one of ${EVENT_TYPE_NAMES.join(', ')}`;
