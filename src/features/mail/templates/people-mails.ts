import type { MailDraft } from './mail-draft.ts';
import { day } from './service-mails.ts';

export interface MagicLink {
  url: string;
  minutesValid: number;
}

/** Signs a person in. */
export function magicLink({ url, minutesValid }: MagicLink): MailDraft {
  return {
    subject: 'Your sign-in link for Pingr',
    parts: [
      `Open this link to sign in. It works once, within ${minutesValid} minutes.`,
      { label: 'Sign in', url },
      'If you did not ask for it, ignore this mail: nobody gets in without the link.',
    ],
  };
}

export interface Invitation {
  accountName: string;
  /** Who invites, as they are called. */
  invitedBy: string;
  role: string;
  url: string;
  expiresAt: Date;
}

/** Asks a person to join an account. */
export function invitation({ accountName, invitedBy, role, url, expiresAt }: Invitation): MailDraft {
  return {
    subject: `${invitedBy} invites you to ${accountName} on Pingr`,
    parts: [
      `${invitedBy} invites you to work on ${accountName} as ${role}.`,
      { label: 'Accept the invitation', url },
      `The invitation ends on ${day(expiresAt)}. If you do not know who this is, ignore this mail.`,
    ],
  };
}

export interface AccountDeletion {
  accountName: string;
  /** When everything is erased. */
  erasedAt: Date;
  /** Where it can be stopped until then. */
  cancelUrl?: string | undefined;
}

/** An account is going to be erased. */
export function accountDeletion({ accountName, erasedAt, cancelUrl }: AccountDeletion): MailDraft {
  return {
    subject: `The account ${accountName} will be deleted`,
    parts: [
      `The account ${accountName} is closed. On ${day(erasedAt)} its sessions, messages, contacts and keys are erased for good.`,
      ...(cancelUrl === undefined ? [] : [{ label: 'Keep the account', url: cancelUrl }]),
      'If this was not you, act before that date.',
    ],
  };
}
