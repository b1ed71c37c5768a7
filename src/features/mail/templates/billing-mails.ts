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
