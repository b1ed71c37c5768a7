import type { FastifyInstance } from 'fastify';
import type { PaymentProvider } from './payment-provider.ts';
import type { PaymentProviders } from './providers.ts';
import { type ReceiveParts, receivePaymentEvent } from './receive-payment-event.ts';

/** Largest webhook that is read. */
const BODY_LIMIT_BYTES = 1_048_576;

/**
 * Serves `POST /webhooks/stripe` and `/webhooks/razorpay`, for the providers that are set up. Their signatures are over
 * the raw body, so nothing parses it before. Answers at once; the work is a job's.
 */
export function servePaymentWebhooks(
  app: FastifyInstance,
  providers: PaymentProviders,
  parts: ReceiveParts,
): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: BODY_LIMIT_BYTES },
      (_request, body, done) => done(null, body),
    );
    for (const provider of providers.all()) serveOne(scope, provider, parts);
  });
}

function serveOne(app: FastifyInstance, provider: PaymentProvider, parts: ReceiveParts): void {
  app.post(`/webhooks/${provider.name}`, { schema: { hide: true } }, async ({ body, headers }, reply) => {
    const rawBody = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    await receivePaymentEvent(parts, provider, { rawBody, headers });
    return reply.type('application/json').send('{"received":true}');
  });
}
