import { z } from 'zod';
import { fromId, ID_PREFIXES, type IdKind } from '../../lib/ids.ts';
import { toTimeZone } from '../../lib/time-zone.ts';

const EXAMPLE = '01h455vb4pex5vsknk084sn02q';

/** An example id of a kind, for documentation. */
export function exampleId(kind: IdKind): string {
  return `${ID_PREFIXES[kind]}_${EXAMPLE}`;
}

/** An id in a body or query; comes out as its UUID. Another kind's id is a problem of the field. */
export function idInput(kind: IdKind, description: string) {
  return z
    .string()
    .transform((text, context) => {
      const uuid = fromId(kind, text);
      if (uuid !== undefined) return uuid;
      context.addIssue({ code: 'custom', message: `is not an id of the form ${ID_PREFIXES[kind]}_…` });
      return z.NEVER;
    })
    .meta({ description, example: exampleId(kind) });
}

/** Path parameters `{ id }`; `id` comes out as its UUID. What is no id of the kind is answered like an unknown one. */
export function idParams(kind: IdKind) {
  return z.object({ id: idInput(kind, `Id of the ${ID_WORDS[kind]}.`) });
}

const ID_WORDS: Record<IdKind, string> = {
  account: 'account',
  apiKey: 'API key',
  session: 'session',
  message: 'message',
  event: 'event',
  request: 'request',
  worker: 'worker',
  webhookEndpoint: 'webhook endpoint',
  delivery: 'delivery',
  attempt: 'attempt',
  trigger: 'trigger',
  invoice: 'invoice',
  providerSubscription: 'subscription at a provider',
  activity: 'request',
  accountExport: 'export',
  accountClosure: 'closure',
  alert: 'alert',
  user: 'user',
  invitation: 'invitation',
  signIn: 'sign-in',
  auditEntry: 'entry',
  mail: 'mail',
};

/** An id in an answer. */
export function idField(kind: IdKind, description: string) {
  return z.string().meta({ description, example: exampleId(kind) });
}

/** A time in an answer: ISO 8601 in UTC, as `toISOString` writes it. */
export function timeField(description: string) {
  return z.iso.datetime().meta({ description, example: '2026-11-21T09:00:00.000Z' });
}

const FIRST_TIME = new Date('0001-01-01T00:00:00Z');
const LAST_TIME = new Date('9999-12-31T23:59:59.999Z');

/** A time in a body or query, in any zone; comes out as a Date that can be shown again: of the years 1 to 9999 in UTC. */
export function timeInput(description: string) {
  return z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .refine((time) => time >= FIRST_TIME && time <= LAST_TIME, { error: 'is out of range' })
    .meta({ description, example: '2026-11-21T09:00:00Z' });
}

/** Refuses a range of time in which nothing can be, naming `since`; for `superRefine`. */
export function refuseEmptyRange(
  { since, until }: { since?: Date | undefined; until?: Date | undefined },
  context: z.core.$RefinementCtx,
): void {
  if (since === undefined || until === undefined || since < until) return;
  context.addIssue({ code: 'custom', path: ['since'], message: 'must be before `until`' });
}

/** A time zone in a body or query, in any case; comes out as IANA spells it. @param problem what is said of other texts */
export function timeZoneInput(problem: string) {
  return z
    .string()
    .max(100)
    .transform((text, context) => {
      const name = toTimeZone(text);
      if (name !== undefined) return name;
      context.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    });
}
