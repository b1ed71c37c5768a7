import type { Context } from '../../platform/context.ts';
import { hiddenTypes, SCOPE_OF_TYPE } from '../events/events.events.ts';
import { EVENT_TYPE_NAMES, patternCovers } from './event-types.ts';
import { webhookErrors } from './webhooks.errors.ts';

type Caller = Pick<Context, 'scopes'>;
interface FieldProblem {
  pointer: string;
  detail: string;
}

/**
 * What an endpoint is sent that a caller asks for: nothing of what they may not see themselves. Their `*` is written out
 * as all that they may see. Patterns that the endpoint has already stay allowed, and those that the caller may not see
 * stay: else they could take them off, send the endpoint elsewhere, and replay what it was sent.
 * @param stored what the endpoint has
 * @throws webhook_endpoint.events_forbidden
 */
export function takeEvents(
  { scopes }: Caller,
  wanted: readonly string[],
  stored: readonly string[] = [],
): string[] {
  const hidden = hiddenTypes(scopes);
  const isFree = (pattern: string) => pattern === '*' || stored.includes(pattern);
  const added = wanted.flatMap((pattern, i) =>
    isFree(pattern) ? [] : problemOf(`/events/${i}`, scopesBeyond(pattern, hidden)),
  );
  const lost = stored.filter(
    (pattern) => !wanted.includes(pattern) && scopesBeyond(pattern, hidden).length > 0,
  );
  refuse([...added, ...problemOf('/events', lost, 'must keep')]);
  const isSpelledOut = hidden.length > 0 && !stored.includes('*');
  const allowed = wanted.flatMap((pattern) =>
    pattern === '*' && isSpelledOut ? visiblePatterns(hidden) : [pattern],
  );
  return [...new Set(allowed)];
}

/**
 * Sends an endpoint's events to another address: for those alone who may see them.
 * @throws webhook_endpoint.events_forbidden
 */
export function refuseNewUrl({ scopes }: Caller, events: readonly string[]): void {
  const hidden = hiddenTypes(scopes);
  const beyond = new Set(events.flatMap((pattern) => scopesBeyond(pattern, hidden)));
  refuse(problemOf('/url', [...beyond], 'would get events whose scopes the caller lacks:'));
}

function problemOf(
  pointer: string,
  names: readonly string[],
  why = 'needs scopes that the caller lacks:',
): FieldProblem[] {
  return names.length === 0 ? [] : [{ pointer, detail: `${why} ${names.join(', ')}` }];
}

function refuse(fields: FieldProblem[]): void {
  if (fields.length > 0) throw webhookErrors.eventsForbidden({ fields });
}

/** The scopes that a pattern needs and the caller lacks. */
function scopesBeyond(pattern: string, hidden: readonly string[]): string[] {
  const types = EVENT_TYPE_NAMES.filter((type) => hidden.includes(type) && patternCovers(pattern, type));
  return [...new Set(types.flatMap((type) => SCOPE_OF_TYPE[type] ?? []))];
}

/** All types but the hidden ones, as prefixes where these hold none of them. */
function visiblePatterns(hidden: readonly string[]): string[] {
  const patterns = EVENT_TYPE_NAMES.map((type) => {
    const family = `${type.split('.')[0]}.*`;
    return hidden.some((one) => patternCovers(family, one)) ? type : family;
  });
  return [...new Set(patterns)].filter((pattern) => !hidden.includes(pattern));
}
