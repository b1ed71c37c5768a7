import type { Mode } from '../../../lib/mode.ts';
import type { MailDraft } from './mail-draft.ts';
import { day } from './service-mails.ts';

export interface ExportReady {
  /** Public id. */
  exportId: string;
  expiresAt: Date;
}

/** An archive can be fetched. The mail holds no link to it: whoever reads the mail must still sign in. */
export function exportReady({ exportId, expiresAt }: ExportReady): MailDraft {
  return {
    subject: 'Your Pingr export is ready',
    parts: [
      `The archive of everything that your account has is ready. It can be downloaded until ${day(expiresAt)}.`,
      `GET /v1/account/exports/${exportId} answers with a link to it.`,
      'If you did not ask for it, revoke the keys of your account.',
    ],
  };
}

export interface SuspiciousActivity {
  accountName: string;
  mode: Mode;
  /** A sentence: what was seen. */
  what: string;
  /** A sentence: what Pingr has done about it, and what to do. */
  advice: string;
}

/** Something looks like misuse. */
export function suspiciousActivity({ accountName, mode, what, advice }: SuspiciousActivity): MailDraft {
  return {
    subject: `Unusual activity in ${accountName}`,
    parts: [`${what} (${mode} mode)`, advice, 'GET /v1/account/alerts lists what was seen.'],
  };
}
