import type {
  ContentShortened,
  CreditReceipt,
  PaymentDisputed,
  Quota,
  Receipt,
  RefundFailed,
  TrialEnding,
} from './billing-mails.ts';
import {
  contentShortened,
  creditReceipt,
  paymentDisputed,
  quotaReached,
  quotaWarning,
  receipt,
  refundFailed,
  trialEnding,
} from './billing-mails.ts';
import type { MailDraft } from './mail-draft.ts';
import type { AccountDeletion, Invitation, MagicLink } from './people-mails.ts';
import { accountDeletion, invitation, magicLink } from './people-mails.ts';
import type { ExportReady, SuspiciousActivity } from './privacy-mails.ts';
import { exportReady, suspiciousActivity } from './privacy-mails.ts';
import type { SessionDisconnected, WebhookDisabled } from './service-mails.ts';
import { sessionDisconnected, webhookDisabled } from './service-mails.ts';

/** Every mail that Pingr writes, with what it fills in. */
export interface MailValues {
  webhook_disabled: WebhookDisabled;
  session_disconnected: SessionDisconnected;
  magic_link: MagicLink;
  invitation: Invitation;
  account_deletion: AccountDeletion;
  receipt: Receipt;
  credit_receipt: CreditReceipt;
  refund_failed: RefundFailed;
  payment_disputed: PaymentDisputed;
  trial_ending: TrialEnding;
  content_shortened: ContentShortened;
  quota_warning: Quota;
  quota_reached: Omit<Quota, 'used'>;
  export_ready: ExportReady;
  suspicious_activity: SuspiciousActivity;
}

export type MailTemplate = keyof MailValues;

const templates: { [T in MailTemplate]: (values: MailValues[T]) => MailDraft } = {
  webhook_disabled: webhookDisabled,
  session_disconnected: sessionDisconnected,
  magic_link: magicLink,
  invitation,
  account_deletion: accountDeletion,
  receipt,
  credit_receipt: creditReceipt,
  refund_failed: refundFailed,
  payment_disputed: paymentDisputed,
  trial_ending: trialEnding,
  content_shortened: contentShortened,
  quota_warning: quotaWarning,
  quota_reached: quotaReached,
  export_ready: exportReady,
  suspicious_activity: suspiciousActivity,
};

/** Fills a template in. */
export function draftMail<T extends MailTemplate>(template: T, values: MailValues[T]): MailDraft {
  return templates[template](values);
}
