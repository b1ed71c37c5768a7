import type { Mode } from '../../../lib/mode.ts';
import type { MailDraft } from './mail-draft.ts';

export interface WebhookDisabled {
  /** Public id. */
  endpointId: string;
  url: string;
  mode: Mode;
  reason: 'gone' | 'failing';
  /** Since when every attempt has failed. */
  failingSince: Date | null;
  disabledAt: Date;
}

/** Pingr has switched off a webhook endpoint. */
export function webhookDisabled(values: WebhookDisabled): MailDraft {
  const { endpointId, url, mode, reason, failingSince, disabledAt } = values;
  const why =
    reason === 'gone'
      ? 'It answered 410 Gone, which asks us to stop.'
      : `No delivery to it has succeeded${failingSince === null ? ' for days' : ` since ${day(failingSince)}`}.`;
  return {
    subject: `A ${mode} webhook endpoint was switched off`,
    parts: [
      `Pingr has stopped delivering events to ${withoutQuery(url)} (${endpointId}, ${mode} mode). ${why}`,
      'Deliveries that were waiting for it are kept. Events that happen while it is off are not kept for it, but can be brought afterwards.',
      `Once your server works again, switch the endpoint on: PATCH /v1/webhook-endpoints/${endpointId} with {"enabled": true} sends at once what was waiting.`,
      `Then POST /v1/webhook-endpoints/${endpointId}/replay with {"include_missing": true, "since": "${disabledAt.toISOString()}"} brings what happened meanwhile, and with {} what had failed before.`,
    ],
  };
}

export interface SessionDisconnected {
  sessionName: string;
  /** E.164, where known. */
  phone: string | null;
  mode: Mode;
  /** A sentence: why, and what to do. */
  detail: string;
  url?: string | undefined;
}

/** A linked number needs its person. */
export function sessionDisconnected({
  sessionName,
  phone,
  mode,
  detail,
  url,
}: SessionDisconnected): MailDraft {
  const number = phone === null ? '' : ` (${phone})`;
  return {
    subject: `The session ${sessionName} needs you`,
    parts: [
      `The ${mode} session ${sessionName}${number} has ended and will not come back by itself. ${detail}`,
      'Until the number is linked again it sends and receives nothing.',
      ...(url === undefined ? [] : [{ label: 'Link the number again', url }]),
    ],
  };
}

/** A day and time in UTC, as people read them. */
export function day(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** A query may hold the customer's secrets. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*$/s, '');
}
