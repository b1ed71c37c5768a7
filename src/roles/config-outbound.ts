import { z } from 'zod';
import { variables } from './config-registry.ts';
import { flag, mailbox } from './config-values.ts';

/** The variables of what leaves the installation: mails, and webhooks. */
export const outboundShape = {
  smtpUrl: z
    .url({ protocol: /^smtps?$/ })
    .optional()
    .register(variables, {
      env: 'SMTP_URL',
      section: 'Mail',
      doc: 'Mail server, such as `smtp://user:password@mail.example.com:587`; credentials go over TLS alone. The same for API and workers.',
      default: 'none: mails are kept in the mailbox',
      secret: true,
      roles: ['all', 'api', 'worker'],
    }),
  mailFrom: mailbox.optional().register(variables, {
    env: 'MAIL_FROM',
    section: 'Mail',
    doc: 'Sender of mails: an address, or `Name <address>`. Needed with SMTP_URL.',
    default: '`Pingr <pingr@localhost>`',
    roles: ['all', 'api', 'worker'],
  }),
  mailbox: flag.optional().register(variables, {
    env: 'MAILBOX',
    section: 'Mail',
    doc: 'Whether mails that were kept are printed, and shown at `/mailbox` to callers on this machine: `on` or `off`.',
    default: '`on` in `all` where `HOST` is `127.0.0.1`, else `off`',
    roles: ['all', 'api', 'worker'],
  }),
  ownerEmail: z
    .email()
    .optional()
    .register(variables, {
      env: 'OWNER_EMAIL',
      section: 'Mail',
      doc: "Address of the first account's owner, written when the account is made: whoever first signs in by it owns it.",
      roles: ['all', 'bootstrap'],
    }),

  webhookAllowLoopback: flag.optional().register(variables, {
    env: 'WEBHOOK_ALLOW_LOOPBACK',
    section: 'Webhooks',
    doc: 'Whether webhooks of test mode may call servers on this machine: `on` or `off`.',
    default: '`on` in `all`, else `off`',
    roles: ['all', 'api', 'worker'],
  }),
} as const;
