import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderMail } from '../../../src/features/mail/templates/mail-draft.ts';
import {
  draftMail,
  type MailTemplate,
  type MailValues,
} from '../../../src/features/mail/templates/templates.ts';

const at = new Date('2026-11-21T09:00:00Z');
const url = 'https://pingr.example/x?a=1&b=2';

/** Values of every template, with this in all their texts. */
function valuesWith(text: string): MailValues {
  const quota = { accountName: text, unit: text, used: 83, limit: 100, resetsAt: at, url: text };
  return {
    webhook_disabled: {
      ...{ endpointId: text, url: text, mode: 'live', reason: 'failing' },
      ...{ failingSince: at, disabledAt: at },
    },
    session_disconnected: { sessionName: text, phone: text, mode: 'live', detail: text, url: text },
    magic_link: { url: text, minutesValid: 15 },
    invitation: { accountName: text, invitedBy: text, role: text, url: text, expiresAt: at },
    account_deletion: { accountName: text, erasedAt: at, cancelUrl: text },
    receipt: { accountName: text, planName: text, amount: text, paidAt: at, number: text, url: text },
    credit_receipt: { accountName: text, number: text, amount: text, refundedAt: at, inAll: text },
    refund_failed: { accountName: text, number: text, amount: text },
    payment_disputed: { accountName: text, number: text, amount: text, status: 'lost' },
    trial_ending: { accountName: text, endsAt: at, url: text },
    content_shortened: {
      ...{ accountName: text, planName: text, at, url: text },
      ...{ daysBefore: 90, daysAfter: 30 },
    },
    quota_warning: quota,
    quota_reached: quota,
    export_ready: { exportId: text, expiresAt: at },
    suspicious_activity: { accountName: text, mode: 'live', what: text, advice: text },
  };
}

const NAMES: readonly MailTemplate[] = [
  'webhook_disabled',
  'session_disconnected',
  'magic_link',
  'invitation',
  'account_deletion',
  'receipt',
  'credit_receipt',
  'refund_failed',
  'payment_disputed',
  'trial_ending',
  'content_shortened',
  'quota_warning',
  'quota_reached',
  'export_ready',
  'suspicious_activity',
];

function render<T extends MailTemplate>(template: T, values: MailValues) {
  return renderMail(draftMail(template, values[template]));
}

describe.each(NAMES)('the mail %s', (template) => {
  it('says the same in text and in HTML', () => {
    const { subject, text, html } = render(template, valuesWith('Acme'));
    expect(subject.length).toBeGreaterThan(5);
    expect(text).toContain('Acme');
    const plain = html.replace(/<title>.*<\/title>/, '').replace(/<[^>]*>/g, ' ');
    expect(words(plain.replaceAll('&#39;', "'").replaceAll('&#34;', '"'))).toEqual(words(text));
  });

  it('takes values as text: no markup, header or script comes of them', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), hostile), (value) => {
        const { subject, html } = render(template, valuesWith(value));
        expect(subject).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        const tags = new Set(
          [...html.matchAll(/<(\/?\w+|!doctype)/g)].map(([, tag]) => tag?.replace('/', '')),
        );
        const known = ['!doctype', 'html', 'head', 'meta', 'title', 'body', 'p', 'br', 'a'];
        expect(known).toEqual(expect.arrayContaining([...tags]));
        for (const [, href] of html.matchAll(/<a href="([^"]*)"/g)) expect(href).toMatch(/^https?:\/\//i);
      }),
      { numRuns: 50 },
    );
  });
});

const hostile = fc.constantFrom(
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  'javascript:alert(1)',
  'https://x/"onclick="alert(1)',
  'x\r\nBcc: evil@example.com',
  '&lt;script&gt;',
);

const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');

describe('a link', () => {
  it('can be followed in both forms', () => {
    const { text, html } = render('magic_link', valuesWith(url));
    expect(text).toContain(`\n${url}\n`);
    expect(html).toContain('<a href="https://pingr.example/x?a=1&#38;b=2">');
  });
});

describe('the mail about a webhook endpoint', () => {
  const url = 'https://x.example/hook?token=s3cret';
  const values = { endpointId: 'whe_1', url, mode: 'live', disabledAt: at } as const;

  it('says why, and keeps what the address may hold in secret', () => {
    const gone = renderMail(draftMail('webhook_disabled', { ...values, reason: 'gone', failingSince: null }));
    expect(gone.text).toMatch(/https:\/\/x\.example\/hook \(whe_1, live mode\)[^]*410/);
    expect(gone.text + gone.html).not.toContain('s3cret');
    const failing = renderMail(
      draftMail('webhook_disabled', { ...values, reason: 'failing', failingSince: at }),
    );
    expect(failing.text).toContain('since 2026-11-21 09:00 UTC');
  });

  it('says what is kept, and gives the calls that bring everything else', () => {
    const { text } = renderMail(
      draftMail('webhook_disabled', { ...values, reason: 'gone', failingSince: null }),
    );
    const flat = text.replace(/\s+/g, ' ');
    expect(flat).toContain('Events that happen while it is off are not kept for it');
    expect(flat).toContain('PATCH /v1/webhook-endpoints/whe_1 with {"enabled": true}');
    expect(flat).toContain(
      `POST /v1/webhook-endpoints/whe_1/replay with {"include_missing": true, "since": "${at.toISOString()}"}`,
    );
  });
});
