import type { FastifyInstance } from 'fastify';
import { BILLING_CSP, BILLING_PAGE } from './billing-page.ts';

/** Serves `/billing`: where plans are chosen, people come back to from paying, and mails about plans lead. */
export function serveBillingPage(app: FastifyInstance): void {
  app.get('/billing', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('content-security-policy', BILLING_CSP).type('text/html; charset=utf-8').send(BILLING_PAGE),
  );
}
