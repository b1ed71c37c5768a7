import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRazorpayProvider } from '../../../src/features/billing/razorpay/razorpay-provider.ts';
import { createStripeProvider } from '../../../src/features/billing/stripe/stripe-provider.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { eventually } from '../../support/eventually.ts';
import { type Billing, openBilling } from './open-billing.ts';

const hmac = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('hex');

const stripe = createStripeProvider({
  secretKey: 'sk_test_1',
  webhookSecrets: ['whsec_new', 'whsec_old'],
  currency: 'USD',
});
const razorpay = createRazorpayProvider({
  keyId: 'rzp_test_1',
  keySecret: 'rzp_key_secret',
  webhookSecrets: ['rzp_wh_secret'],
  clock: systemClock,
});
const seconds = () => Math.floor(Date.now() / 1_000);
const event = (id = 'evt_1') =>
  JSON.stringify({
    ...{ id, object: 'event', type: 'customer.subscription.updated', created: seconds() },
    data: { object: { id: 'sub_1', object: 'subscription' } },
  });

function readStripe(text: string, signature: string | undefined) {
  return stripe.readWebhook({
    rawBody: Buffer.from(text),
    headers: signature === undefined ? {} : { 'stripe-signature': signature },
  });
}

describe('a webhook of Stripe', () => {
  it('is read when any of its signatures fits any secret', () => {
    const text = event();
    const t = seconds();
    const notice = {
      eventId: 'evt_1',
      type: 'customer.subscription.updated',
      ...{ subscriptionId: 'sub_1', invoiceId: null, paymentId: null, disputeId: null },
    };
    for (const secret of ['whsec_new', 'whsec_old']) {
      expect(readStripe(text, `t=${t},v1=${'0'.repeat(64)},v1=${hmac(secret, `${t}.${text}`)}`)).toEqual(
        notice,
      );
    }
  });

  it.each([
    ['without a signature', () => undefined],
    [
      'with the signature of another secret',
      (text: string, t: number) => `t=${t},v1=${hmac('x', `${t}.${text}`)}`,
    ],
    [
      'of more than five minutes ago',
      (text: string, t: number) => `t=${t - 301},v1=${hmac('whsec_new', `${t - 301}.${text}`)}`,
    ],
    [
      'signed in another scheme',
      (text: string, t: number) => `t=${t},v0=${hmac('whsec_new', `${t}.${text}`)}`,
    ],
  ])('is refused %s', (_how, sign) => {
    const text = event();
    expect(() => readStripe(text, sign(text, seconds()))).toThrow(
      expect.objectContaining({ code: 'billing.webhook_signature_invalid' }),
    );
  });

  it('is refused with any byte changed', () => {
    const text = event();
    const t = seconds();
    const signature = `t=${t},v1=${hmac('whsec_new', `${t}.${text}`)}`;
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const raw = Buffer.from(text);
        raw[at] = (raw[at] ?? 0) ^ change;
        expect(() =>
          stripe.readWebhook({ rawBody: raw, headers: { 'stripe-signature': signature } }),
        ).toThrow(expect.objectContaining({ code: 'billing.webhook_signature_invalid' }));
      }),
      { numRuns: 50 },
    );
  });

  it('says which subscription an invoice is for', () => {
    const invoice = {
      ...{ id: 'in_1', object: 'invoice' },
      parent: { type: 'subscription_details', subscription_details: { subscription: 'sub_9' } },
    };
    const text = JSON.stringify({
      id: 'evt_2',
      object: 'event',
      type: 'invoice.paid',
      data: { object: invoice },
    });
    const t = seconds();
    expect(readStripe(text, `t=${t},v1=${hmac('whsec_new', `${t}.${text}`)}`)).toEqual({
      ...{ eventId: 'evt_2', type: 'invoice.paid', subscriptionId: 'sub_9', invoiceId: 'in_1' },
      ...{ paymentId: null, disputeId: null },
    });
  });

  it.each([
    ['charge.refunded', { object: 'charge', id: 'ch_1', payment_intent: 'pi_1' }, 'pi_1', null],
    ['charge.succeeded', { object: 'charge', id: 'ch_1', payment_intent: 'pi_1' }, null, null],
    ['charge.refunded', { object: 'charge', id: 'ch_1', payment_intent: { id: 'pi_1' } }, 'pi_1', null],
    ['refund.created', { object: 'refund', id: 're_1', payment_intent: 'pi_1' }, 'pi_1', null],
    ['refund.failed', { object: 'refund', id: 're_1', payment_intent: null }, null, null],
    ['charge.refund.updated', { object: 'refund', id: 're_1', payment_intent: 'pi_1' }, 'pi_1', null],
    ['charge.dispute.closed', { object: 'dispute', id: 'du_1', payment_intent: 'pi_1' }, 'pi_1', 'du_1'],
    ['credit_note.created', { object: 'credit_note', id: 'cn_1', invoice: 'in_1' }, null, null],
  ])('says which payment %s is about', (type, object, paymentId, disputeId) => {
    const text = JSON.stringify({ id: 'evt_3', object: 'event', type, data: { object } });
    const t = seconds();
    expect(readStripe(text, `t=${t},v1=${hmac('whsec_new', `${t}.${text}`)}`)).toEqual({
      ...{ eventId: 'evt_3', type, subscriptionId: null, invoiceId: null, paymentId, disputeId },
    });
  });
});

describe('a webhook of Razorpay', () => {
  const read = (text: string, signature: string | undefined, id: string | undefined = 'evt_r1') =>
    razorpay.readWebhook({
      rawBody: Buffer.from(text),
      headers: {
        ...(signature !== undefined && { 'x-razorpay-signature': signature }),
        'x-razorpay-event-id': id,
      },
    });

  it('has the signature of the documents', () => {
    const text = '{"entity":"event","event":"subscription.charged"}';
    expect(hmac('rzp_wh_secret', text)).toBe(
      'ee31db088fbf9342869fedec49b9bc51f97ab68dea7cbcb6fdc5c8868f4bed75',
    );
  });

  it('is read with all the quirks of the samples', () => {
    const text = JSON.stringify({
      ...{ account_id: 'acc_1', entity: 'event', event: 'subscription.charged', created_at: 1 },
      payload: {
        subscription: { entity: { id: 'sub_1', notes: [], customer_notify: 1 } },
        payment: { entity: { id: 'pay_1', captured: '1', notes: [] } },
      },
    });
    expect(read(text, hmac('rzp_wh_secret', text))).toEqual({
      ...{ eventId: 'evt_r1', type: 'subscription.charged', subscriptionId: 'sub_1', invoiceId: null },
      ...{ paymentId: null, disputeId: null },
    });
  });

  it.each([
    ['refund.processed', { refund: { id: 'rfnd_1', payment_id: 'pay_1' } }, 'pay_1', null],
    ['refund.failed', { refund: { id: 'rfnd_1', payment_id: null } }, null, null],
    ['payment.dispute.created', { dispute: { id: 'disp_1', payment_id: 'pay_1' } }, 'pay_1', 'disp_1'],
    [
      'payment.dispute.action_required',
      { dispute: { id: 'disp_1', payment_id: 'pay_1' } },
      'pay_1',
      'disp_1',
    ],
    ['payment.captured', {}, null, null],
  ])('says which payment %s is about', (type, about, paymentId, disputeId) => {
    const entities = { ...about, payment: { id: 'pay_1', invoice_id: 'inv_1' } };
    const payload = Object.fromEntries(Object.entries(entities).map(([name, entity]) => [name, { entity }]));
    const text = JSON.stringify({ entity: 'event', event: type, payload });
    expect(read(text, hmac('rzp_wh_secret', text))).toEqual({
      ...{ eventId: 'evt_r1', type, subscriptionId: null, invoiceId: null, paymentId, disputeId },
    });
  });

  it('is refused with a wrong, a short or no signature', () => {
    const text = '{"entity":"event","event":"subscription.charged","payload":{}}';
    for (const signature of [undefined, '', 'ee31', hmac('other', text)]) {
      expect(() => read(text, signature)).toThrow(
        expect.objectContaining({ code: 'billing.webhook_signature_invalid' }),
      );
    }
  });
});

describe("what Razorpay's checkout hands over", () => {
  const proof = { subscriptionId: 'sub_DEF456', paymentId: 'pay_XYZ789' };
  it.each([
    [proof, 'b4898385536104b59485c63e48f24e07f6e5bb4c6cf5b45deaa7cb72ce54ccd0'],
    [
      { subscriptionId: 'plink_L1', paymentId: 'pay_XYZ789', referenceId: 'ref_1', status: 'paid' },
      'efdf75800f55ee2a891ee1fdd26f2d39b54798a80f325e45ed89236eda7508d3',
    ],
  ])('is proven by the signature of the documents', (of, signature) => {
    expect(razorpay.isProof?.({ ...of, signature })).toBe(true);
    expect(razorpay.isProof?.({ ...of, paymentId: 'pay_other', signature })).toBe(false);
    expect(razorpay.isProof?.({ ...of, signature: signature.slice(1) })).toBe(false);
  });
});

describe('POST /webhooks', () => {
  let billing: Billing;
  beforeAll(async () => {
    billing = await openBilling();
  });
  afterAll(() => billing.close());

  function post(text: string, secret: string) {
    const t = seconds();
    return fetch(`${billing.edge.url}/webhooks/stripe`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'stripe-signature': `t=${t},v1=${hmac(secret, `${t}.${text}`)}`,
      },
      body: text,
    });
  }
  const rows = async (id: string) =>
    (await billing.db.owner.query('select * from payment_events where event_id = $1', [id])).rows;

  it('stores an event once, however often and from how many sides it comes', async () => {
    const text = event('evt_many');
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => post(text, billing.sandbox.keys.stripeWebhookSecret)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    await expect(answers[0]?.json()).resolves.toEqual({ received: true });
    const [row, ...rest] = await eventually(
      () => rows('evt_many'),
      ([found]) => found?.processed_at !== null,
    );
    expect(rest).toEqual([]);
    expect(row).toMatchObject({ ignored: 'the provider knows no such subscription', account_id: null });
  });

  it('answers 401 to a wrong signature, and stores nothing', async () => {
    const answer = await post(event('evt_forged'), 'whsec_guessed');
    expect(answer.status).toBe(401);
    await expect(answer.json()).resolves.toMatchObject({ code: 'billing.webhook_signature_invalid' });
    await expect(rows('evt_forged')).resolves.toEqual([]);
  });

  it('keeps the ids of an event, and nothing else that it says', async () => {
    await post(event('evt_kept'), billing.sandbox.keys.stripeWebhookSecret);
    const [row] = await rows('evt_kept');
    expect(row).toMatchObject({ type: 'customer.subscription.updated', provider_subscription_id: 'sub_1' });
    expect(JSON.stringify(row)).not.toContain('object');
  });

  it('gives an event whose job was lost to another one', async () => {
    await billing.db.owner.query(
      `insert into payment_events (provider, event_id, type, provider_subscription_id, received_at)
       values ('stripe', 'evt_lost', 'x', 'sub_none', now() - interval '2 minutes')`,
    );
    await billing.keep();
    await eventually(
      () => rows('evt_lost'),
      ([found]) => found?.processed_at !== null,
    );
  });
});
