import { sourceHash } from '../../platform/http/source-hash.ts';
import type { MailboxEntry } from './read-mailbox.ts';
import { escapeHtml } from './templates/mail-draft.ts';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; color: #222 }
article { border: 1px solid #ccc; border-radius: 6px; padding: 0 1em; margin: 1em 0 }
h2 { font-size: 1.1em; margin: .8em 0 0 }
small { color: #666 }
pre { font: inherit; white-space: pre-wrap; overflow-wrap: anywhere }
`;

/** Nothing runs, loads or frames; the one style is named by its hash. */
export const MAILBOX_CSP = [
  "default-src 'none'",
  `style-src ${sourceHash(STYLE)}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page of all mails, as HTML. Mails are shown as text; the links in them can be followed. */
export function mailboxPage(mails: readonly MailboxEntry[]): string {
  const list = mails.length === 0 ? '<p>No mail yet.</p>' : mails.map(article).join('\n');
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Pingr mailbox</title><style>${STYLE}</style></head>
<body>
<h1>Mailbox</h1>
<p><small>What this installation has written and not sent to a mail server. Only this machine sees this page; reload for news.</small></p>
${list}
</body>
</html>
`;
}

function article({ to, subject, text, status, last_error, created_at }: MailboxEntry): string {
  const state = [status, last_error].filter((part) => part !== null).join(', ');
  return `<article>
<h2>${escapeHtml(subject)}</h2>
<small>to ${escapeHtml(to)} · ${escapeHtml(created_at)} · ${escapeHtml(state)}</small>
<pre>${withLinks(text)}</pre>
</article>`;
}

/** Escapes the text and makes its http(s) addresses links. */
function withLinks(text: string): string {
  return text
    .split(/(https?:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\]])/i)
    .map((part, i) => {
      const safe = escapeHtml(part);
      return i % 2 === 0 ? safe : `<a href="${safe}" rel="noopener noreferrer">${safe}</a>`;
    })
    .join('');
}
