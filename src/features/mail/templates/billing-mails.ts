import type { MailDraft } from './mail-draft.ts';
import { day } from './service-mails.ts';

export interface Receipt {
  accountName: string;
  planName: string;
  /** With its currency, such as `₹1,499.00`. */
  amount: string;
  paidAt: Date;
  number: string;
  url?: string | undefined;
}

/** A payment has arrived. */
export function receipt({ accountName, planName, amount, paidAt, number, url }: Receipt): MailDraft {
  return {
    subject: `Receipt ${number} from Pingr`,
    parts: [
      `Thank you. We received ${amount} for the plan ${planName} of ${accountName} on ${day(paidAt)}.`,
      `Receipt number: ${number}`,
      ...(url === undefined ? [] : [{ label: 'The invoice', url }]),
    ],
  };
}

export interface CreditReceipt {
  accountName: string;
  /** Of the invoice that was paid. */
  number: string;
  /** With its currency, such as `₹1,499.00`. */
  amount: string;
  refundedAt: Date;
  /** What went back of the invoice in all, where that is more. */
  inAll?: string | undefined;
}

/** Money went back to the payer. */
export function creditReceipt({ accountName, number, amount, refundedAt, inAll }: CreditReceipt): MailDraft {
  return {
    subject: `Refund of ${number} from Pingr`,
    parts: [
      `We refunded ${amount} of the payment ${number} for ${accountName} on ${day(refundedAt)}. Banks take some days to show it.`,
      ...(inAll === undefined ? [] : [`Refunded of ${number} in all: ${inAll}.`]),
      'A refund does not change the plan.',
    ],
  };
}

export interface RefundFailed {
  accountName: string;
  number: string;
  /** With its currency. */
  amount: string;
}

/** Money that was to go back did not. */
export function refundFailed({ accountName, number, amount }: RefundFailed): MailDraft {
  return {
    subject: `The refund of ${number} failed`,
    parts: [
      `The refund of ${amount} of the payment ${number} for ${accountName} did not reach the account that it was paid from. Please write to us, so that we can send it another way.`,
    ],
  };
}

export interface PaymentDisputed {
  accountName: string;
  number: string;
  /** With its currency. */
  amount: string;
  status: 'open' | 'under_review' | 'won' | 'lost' | 'closed';
}

/** The payer's bank disputes a payment, or has decided. */
export function paymentDisputed({ accountName, number, amount, status }: PaymentDisputed): MailDraft {
  const isOpen = status === 'open' || status === 'under_review';
  return {
    subject: isOpen ? `The payment ${number} is disputed` : `The dispute of ${number} is over`,
    parts: [
      `${isOpen ? 'The bank of the payer disputes' : 'The bank of the payer has closed its dispute of'} ${amount} of the payment ${number} for ${accountName}. ${DISPUTE_SENTENCES[status]}`,
    ],
  };
}

const ASK_THE_BANK =
  'The plan goes on for now. If nobody of yours meant to dispute it, please ask the bank to take the dispute back.';
const DISPUTE_SENTENCES = {
  open: ASK_THE_BANK,
  under_review: ASK_THE_BANK,
  won: 'The payment stands.',
  lost: 'The money went back to the payer.',
  closed: 'The payment stands.',
} as const satisfies Record<PaymentDisputed['status'], string>;

export interface TrialEnding {
  accountName: string;
  endsAt: Date;
  url: string;
}

/** A trial is about to end. */
export function trialEnding({ accountName, endsAt, url }: TrialEnding): MailDraft {
  return {
    subject: 'Your Pingr trial is about to end',
    parts: [
      `The trial of ${accountName} ends on ${day(endsAt)}. After that, live messages stop until you choose a plan; test mode goes on.`,
      { label: 'Choose a plan', url },
    ],
  };
}

export interface ContentShortened {
  accountName: string;
  planName: string;
  /** Days for which contents were kept, and are from `at` on. */
  daysBefore: number;
  daysAfter: number;
  at: Date;
  url: string;
}

/** The account's plan keeps what messages say for less time than the one before. */
export function contentShortened(values: ContentShortened): MailDraft {
  const { accountName, planName, daysBefore, daysAfter, at, url } = values;
  return {
    subject: 'What your messages say will be kept for less time',
    parts: [
      `${accountName} now has the plan ${planName}, which keeps what messages say for ${daysAfter} days rather than ${daysBefore}. Nothing is dropped for it before ${day(at)}.`,
      'To keep a copy, ask for an export of your account before that day; to keep it here, choose a larger plan.',
      { label: 'See plans', url },
    ],
  };
}

export interface Quota {
  accountName: string;
  /** What is counted, such as `messages`. */
  unit: string;
  used: number;
  limit: number;
  /** When counting begins anew. */
  resetsAt: Date;
  url: string;
}

/** Most of what the plan holds is used. */
export function quotaWarning({ accountName, unit, used, limit, resetsAt, url }: Quota): MailDraft {
  return {
    subject: `${Math.floor((used / limit) * 100)} % of your ${unit} are used`,
    parts: [
      `${accountName} has used ${used} of ${limit} ${unit}. Counting begins anew on ${day(resetsAt)}.`,
      { label: 'See plans', url },
    ],
  };
}

/** All that the plan holds is used. */
export function quotaReached({ accountName, unit, limit, resetsAt, url }: Omit<Quota, 'used'>): MailDraft {
  return {
    subject: `All your ${unit} are used`,
    parts: [
      `${accountName} has used all of its ${limit} ${unit}. Further ones are refused until ${day(resetsAt)}, or until you choose a larger plan.`,
      { label: 'See plans', url },
    ],
  };
}
