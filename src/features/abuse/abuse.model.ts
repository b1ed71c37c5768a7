import type { Mode } from '../../lib/mode.ts';

export const ALERT_KINDS = [
  'failing_keys',
  'new_network',
  'new_country',
  'first_contacts',
  'failure_rate',
  'session_banned',
] as const;

export type AlertKind = (typeof ALERT_KINDS)[number];

/** What was seen, before it is an alert. */
export interface Suspicion {
  kind: AlertKind;
  accountId: string;
  mode: Mode;
  /** UUID of the key or session that it is about. */
  subject: string;
  /** UUID, where it is about a session. */
  sessionId?: string | undefined;
  /** Numbers and addresses, never content. */
  detail: Record<string, string | number | null | readonly string[]>;
}

/** How limits are tightened: to `factor` of themselves, for `seconds` since it was last seen. */
export interface Tightening {
  factor: number;
  seconds: number;
}

const HOUR = 3_600;

/** What follows from each kind; null leaves the limits alone. */
export const TIGHTENING: Record<AlertKind, Tightening | null> = {
  // A key that works, from an address that tries keys: probably stolen.
  failing_keys: { factor: 0.25, seconds: HOUR },
  // Servers move and people travel; a person decides.
  new_network: null,
  new_country: null,
  first_contacts: { factor: 0.5, seconds: HOUR },
  failure_rate: { factor: 0.5, seconds: HOUR },
  session_banned: { factor: 0.25, seconds: 24 * HOUR },
};

/** When sessions become suspicious, within an hour. */
export const SESSION_THRESHOLDS = {
  /** People written to for the first time; and most of those that were written to. */
  firstContacts: 100,
  /** Fewer messages say nothing about a rate. */
  messages: 50,
  /** Share of messages that failed. */
  failed: 0.4,
};

const WHAT: Record<AlertKind, string> = {
  failing_keys: 'A key was used from an address from which many keys failed.',
  new_network: 'A key was used from a network from which it had never been used.',
  new_country: 'A key was used in a country in which it had never been used.',
  first_contacts: 'A session wrote to unusually many people for the first time.',
  failure_rate: 'Unusually many messages of a session failed.',
  session_banned: 'WhatsApp banned a number.',
};

const ADVICE: Record<AlertKind, string> = {
  failing_keys: 'If that was not you, rotate or revoke the key: it ends everywhere within two seconds.',
  new_network: 'If that was not you, revoke the key; allowed addresses (`allowed_ips`) prevent it.',
  new_country:
    'If that was not you, revoke the key: it ends everywhere within two seconds. Allowed addresses (`allowed_ips`) prevent it.',
  first_contacts:
    'Write to people who asked for it, and raise volumes slowly: WhatsApp bans numbers for less.',
  failure_rate: 'Check the numbers you write to: many that are not on WhatsApp look like guessing.',
  session_banned: 'Open WhatsApp on the phone to ask for a review.',
};

const COUNTRY_NAMES = new Intl.DisplayNames('en', { type: 'region' });

/**
 * The sentences for people about an alert.
 * @param detail of the alert; where it names a country, so does the sentence
 */
export function explain(
  kind: AlertKind,
  detail: Readonly<Record<string, unknown>> = {},
): { what: string; advice: string } {
  const { country, address } = detail;
  const what =
    kind === 'new_country' && typeof country === 'string' && typeof address === 'string'
      ? `A key was used from ${COUNTRY_NAMES.of(country)} (${address}), a country in which it had never been used.`
      : WHAT[kind];
  const slower =
    TIGHTENING[kind] === null ? '' : ' Until this calms down, fewer requests a minute are accepted.';
  return { what, advice: `${ADVICE[kind]}${slower}` };
}

/** Whether alerts of the kind are about a key; else about a session. */
export function isAboutKey(kind: AlertKind): boolean {
  return kind === 'failing_keys' || kind === 'new_network' || kind === 'new_country';
}
