import { defineOutcomes } from '../lib/outcomes.ts';

/** What a refusal of WhatsApp's server means to the customer. */
export interface Refusal {
  /** Stable code for the customer's program. */
  code: string;
  /** What happened, as a sentence. */
  detail: string;
  /** What to do about it, as a sentence. */
  remedy: string;
  /** Whether sending the same message again after a while may succeed without anyone doing anything. */
  retry: boolean;
}

/**
 * Meanings of the `error` in an ack of class `message`. 463 and 479 as in Baileys' `SERVER_ERROR_CODES`, 421, 475 and
 * 487 to 552 as in WhatsApp Web's `NackReason`.
 */
const REFUSALS: ReadonlyMap<number, Refusal> = new Map([
  [
    403,
    {
      code: 'message.not_allowed',
      detail: 'WhatsApp does not allow this number to write to the recipient.',
      remedy: 'Check that the recipient has not blocked the number and accepts messages from it.',
      retry: false,
    },
  ],
  [
    404,
    {
      code: 'message.recipient_not_found',
      detail: 'WhatsApp no longer finds the recipient.',
      remedy: 'Check that the number is still on WhatsApp.',
      retry: false,
    },
  ],
  [
    421,
    {
      code: 'message.stale_addressing',
      detail: 'WhatsApp wants the recipient addressed in another way than this device knew.',
      remedy: 'Nothing: the message is tried again.',
      retry: true,
    },
  ],
  [
    429,
    {
      code: 'message.rate_limited',
      detail: 'WhatsApp limits how fast this number may send.',
      remedy: 'Send more slowly: raise the session’s pacing interval.',
      retry: true,
    },
  ],
  [
    463,
    {
      code: 'message.account_restricted',
      detail: 'WhatsApp restricts this number: it may not start new conversations for now.',
      remedy:
        'Let the recipient write first, or wait for the end of the restriction shown on the phone. Every further try counts against the number.',
      retry: false,
    },
  ],
  [
    475,
    {
      code: 'message.new_chats_capped',
      detail: 'This number has reached WhatsApp’s limit of new conversations.',
      remedy: 'Write to known contacts only until the limit resets, or let new recipients write first.',
      retry: false,
    },
  ],
  [
    479,
    {
      code: 'message.stale_session',
      detail:
        'WhatsApp rejected the message’s form, most often because a device of the recipient changed meanwhile.',
      remedy: 'Nothing: the message is tried again with the recipient’s current devices.',
      retry: true,
    },
  ],
  [
    500,
    {
      code: 'message.server_error',
      detail: 'WhatsApp reported a fault of its own.',
      remedy: 'Nothing: the message is tried again.',
      retry: true,
    },
  ],
  [
    503,
    {
      code: 'message.whatsapp_unavailable',
      detail: 'WhatsApp is unavailable at the moment.',
      remedy: 'Nothing: the message is tried again.',
      retry: true,
    },
  ],
]);

const NOT_UNDERSTOOD = [487, 488, 489, 490, 491, 493, 495];
const UNKNOWN = 0;

defineOutcomes(
  '`error.code` of a message',
  [...REFUSALS.keys(), 487, UNKNOWN].map((wireCode) => {
    const { code, detail, remedy } = describeRefusal(wireCode);
    return { code, meaning: `${detail.replace(` (${wireCode})`, '')} ${remedy}` };
  }),
);

/** Explains a refusal. Codes that nobody has explained are final: trying again blindly can cost the number. */
export function describeRefusal(wireCode: number): Refusal {
  const known = REFUSALS.get(wireCode);
  if (known !== undefined) return known;
  if (NOT_UNDERSTOOD.includes(wireCode)) {
    return {
      code: 'message.not_understood',
      detail: `WhatsApp did not understand the message (${wireCode}).`,
      remedy:
        'Update Pingr. If it happens with the current version, report the code and the kind of message.',
      retry: false,
    };
  }
  return {
    code: 'message.refused',
    detail: `WhatsApp refused the message (${wireCode}).`,
    remedy: 'Look at the session on the phone for a notice. If there is none, report the code.',
    retry: false,
  };
}
