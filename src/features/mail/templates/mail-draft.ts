/** What a template writes: paragraphs, and links on lines of their own. */
export interface MailDraft {
  subject: string;
  parts: readonly MailPart[];
}

type MailPart = string | { label: string; url: string };

/** A mail's content, ready to send. */
export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

const SIGNATURE = 'Pingr';

/** Writes a draft as plain text and as HTML. Values in it are text: they cannot become markup, headers or links. */
export function renderMail({ subject, parts }: MailDraft): RenderedMail {
  const all = [...parts, `-- \n${SIGNATURE}`];
  const text = all
    .map((part) => (typeof part === 'string' ? part : `${part.label}:\n${part.url}`))
    .join('\n\n');
  const body = all.map((part) => `<p>${typeof part === 'string' ? lines(part) : link(part)}</p>`).join('\n');
  return {
    subject: oneLine(subject),
    text: `${text}\n`,
    html: `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(oneLine(subject))}</title></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 36em">\n${body}\n</body></html>\n`,
  };
}

/** Text that means nothing to a browser, in elements and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function lines(text: string): string {
  return escapeHtml(text).replaceAll('\n', '<br>');
}

function link({ label, url }: { label: string; url: string }): string {
  return /^https?:\/\//i.test(url)
    ? `${escapeHtml(label)}:<br><a href="${escapeHtml(url)}">${escapeHtml(url)}</a>`
    : `${escapeHtml(label)}:<br>${escapeHtml(url)}`;
}

/** Without control characters, which could begin another header. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
}
