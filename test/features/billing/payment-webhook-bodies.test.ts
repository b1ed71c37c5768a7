import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../support/api-client.ts';
import { type Billing, openBilling } from './open-billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

const hmac = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('hex');

const SIGN = {
  stripe(text: string) {
    const t = Math.floor(Date.now() / 1_000);
    const { stripeWebhookSecret: secret } = billing.sandbox.keys;
    return { 'stripe-signature': `t=${t},v1=${hmac(secret, `${t}.${text}`)}` };
  },
  razorpay: (text: string) => ({
    'x-razorpay-signature': hmac(billing.sandbox.keys.razorpayWebhookSecret, text),
  }),
};

async function post(provider: keyof typeof SIGN, text: string) {
  const response = await fetch(`${billing.edge.url}/webhooks/${provider}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...SIGN[provider](text) },
    body: text,
  });
  const body = await response.text();
  return { status: response.status, body: body === '' ? {} : (JSON.parse(body) as Json) };
}

const STRIPE = {
  ...{ id: 'evt_1', object: 'event', type: 'invoice.paid' },
  data: {
    object: {
      ...{ id: 'in_1', object: 'invoice', payment_intent: 'pi_1', subscription: 'sub_1' },
      parent: { subscription_details: { subscription: 'sub_1' } },
    },
  },
};
const RAZORPAY = {
  ...{ entity: 'event', event: 'subscription.charged', contains: ['subscription'] },
  payload: {
    subscription: { entity: { id: 'sub_1' } },
    payment_link: { entity: { id: 'plink_1' } },
    invoice: { entity: { id: 'inv_1', subscription_id: 'sub_1' } },
    refund: { entity: { id: 'rfnd_1', payment_id: 'pay_1' } },
    dispute: { entity: { id: 'disp_1', payment_id: 'pay_1' } },
  },
};

/** Values that somebody else's program may put anywhere. */
const odd = fc.oneof(
  fc.jsonValue(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom<unknown>(
    null,
    '',
    '\u0000',
    'sub_\u0000',
    '../plans',
    'x'.repeat(5_000),
    {},
    [],
    1e308,
    -0,
    false,
  ),
  fc.constantFrom('invoice', 'checkout.session', 'subscription', 'dispute', 'refund', 'charge'),
);

/** Every place of an event, as keys to follow. */
function placesOf(value: unknown, at: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, part]) => placesOf(part, [...at, key]))];
}

function replace(value: unknown, [key, ...rest]: string[], by: unknown): unknown {
  if (key === undefined) return by;
  const fields = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return Object.fromEntries(
    fields.map(([name, part]) => [name, name === key ? replace(part, rest, by) : part]),
  );
}

const spoilt = (event: object) =>
  fc
    .array(fc.tuple(fc.constantFrom(...placesOf(event)), odd), { minLength: 1, maxLength: 3 })
    .map((changes) => changes.reduce<unknown>((now, [at, by]) => replace(now, at, by), event))
    .map((value) => JSON.stringify(value) ?? '');
const anything = (event: object) =>
  fc
    .oneof({ weight: 4, arbitrary: spoilt(event) }, fc.json(), fc.string({ unit: 'binary' }))
    // Stripe's library drops this mark before it checks the signature.
    .filter((text) => !text.startsWith('\uFEFF'));

describe.each([
  ['stripe', STRIPE],
  ['razorpay', RAZORPAY],
] as const)('a body that %s signed', (provider, event) => {
  it('is taken, or refused with 400, whatever it says', async () => {
    await expect(post(provider, JSON.stringify(event))).resolves.toMatchObject({ status: 200 });
    await fc.assert(
      fc.asyncProperty(anything(event), async (text) => {
        // Stripe's library takes an empty body for one that is not there.
        if (text === '') return;
        const { status, body } = await post(provider, text);
        expect([200, 400]).toContain(status);
        if (status === 400) expect(body).toMatchObject({ code: 'billing.webhook_unreadable' });
      }),
      { numRuns: 300 },
    );
  });
});

describe('a webhook that is signed rightly', () => {
  it.each([
    ['stripe', 'no JSON', 'hello'],
    ['stripe', 'no id', JSON.stringify({ ...STRIPE, id: undefined })],
    ['stripe', 'an id with a NUL', JSON.stringify({ ...STRIPE, id: 'evt_\u0000' })],
    ['stripe', 'no object', JSON.stringify({ ...STRIPE, data: { object: null } })],
    ['stripe', 'an event of another generation', '{"id":"evt_1","object":"v2.core.event","type":"v1.x"}'],
    ['razorpay', 'no JSON', 'hello'],
    ['razorpay', 'no payload', '{"event":"subscription.charged"}'],
    ['razorpay', 'an id that is none', '{"event":"x","payload":{"refund":{"entity":{"id":"../orders"}}}}'],
  ] as const)('of %s with %s is refused with 400', async (provider, _what, text) => {
    await expect(post(provider, text)).resolves.toMatchObject({
      ...{ status: 400, body: { code: 'billing.webhook_unreadable' } },
    });
  });

  it('of Razorpay may have parts that are null', async () => {
    const text =
      '{"event":"subscription.charged","payload":{"subscription":null,"payment":{"entity":{"id":"pay_1"}}}}';
    await expect(post('razorpay', text)).resolves.toMatchObject({ status: 200 });
  });

  it('is refused with 401 where the signature is wrong, whatever it says', async () => {
    for (const provider of ['stripe', 'razorpay'] as const) {
      const response = await fetch(`${billing.edge.url}/webhooks/${provider}`, {
        method: 'POST',
        headers: SIGN[provider]('another body'),
        body: 'hello',
      });
      expect(response.status).toBe(401);
    }
  });
});
