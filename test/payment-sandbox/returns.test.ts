import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningPaymentSandbox, startPaymentSandbox } from '../../src/payment-sandbox/start.ts';
import type { Json } from '../support/api-client.ts';

interface Heard {
  headers: IncomingHttpHeaders;
  text: string;
}

let sandbox: RunningPaymentSandbox;
let heard: Heard[] = [];
const merchant = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    heard.push({ headers: request.headers, text: Buffer.concat(chunks).toString() });
    response.end('{}');
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    merchant.listen(0, '127.0.0.1', resolve);
  });
  const address = merchant.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const webhookTarget = `http://127.0.0.1:${port}`;
  sandbox = await startPaymentSandbox({ host: '127.0.0.1', port: 0, webhookTarget });
});
afterAll(async () => {
  await sandbox.close();
  merchant.close();
});

async function call(
  url: string,
  request: { method: string; authorization: string; body: string | undefined },
) {
  const { method, authorization, body } = request;
  const response = await fetch(url, { method, headers: { authorization }, ...(body && { body }) });
  return { status: response.status, body: (await response.json()) as Json };
}

const stripe = (method: string, at: string, form?: Record<string, string>) =>
  call(`${sandbox.url}${at}`, {
    method,
    authorization: `Bearer ${sandbox.keys.stripeSecretKey}`,
    body: form && new URLSearchParams(form).toString(),
  });

const razorpay = (method: string, at: string, body?: object) => {
  const { razorpayKeyId: id, razorpayKeySecret: secret } = sandbox.keys;
  return call(`${sandbox.razorpayUrl}${at}`, {
    method,
    authorization: `Basic ${btoa(`${id}:${secret}`)}`,
    body: body && JSON.stringify(body),
  });
};

const press = (url: string, action: string) =>
  fetch(url, { method: 'POST', body: new URLSearchParams({ action }), redirect: 'manual' });

/** What the sandbox says of one object, by type, and that all of it is signed. */
async function told(id: string, provider: 'stripe' | 'razorpay'): Promise<string[]> {
  await sandbox.idle();
  return heard
    .filter(({ text }) => text.includes(id))
    .map(({ headers, text }) => {
      if (provider === 'razorpay') {
        const signature = createHmac('sha256', sandbox.keys.razorpayWebhookSecret).update(text).digest('hex');
        expect(headers['x-razorpay-signature']).toBe(signature);
        return JSON.parse(text).event;
      }
      const at = /t=(\d+)/.exec(String(headers['stripe-signature']))?.[1];
      const signed = createHmac('sha256', sandbox.keys.stripeWebhookSecret).update(`${at}.${text}`);
      expect(headers['stripe-signature']).toBe(`t=${at},v1=${signed.digest('hex')}`);
      return JSON.parse(text).type;
    })
    .toSorted();
}

/** A subscription of 19 dollars that was paid. @returns its PaymentIntent and invoice */
async function paidAtStripe() {
  const price = await stripe('POST', '/v1/prices', {
    ...{
      currency: 'usd',
      unit_amount: '1900',
      'recurring[interval]': 'month',
      'product_data[name]': 'Pingr',
    },
  });
  const { body: session } = await stripe('POST', '/v1/checkout/sessions', {
    ...{ mode: 'subscription', 'line_items[0][price]': price.body.id, success_url: 'https://a.test/' },
  });
  await press(session.url, 'pay');
  const { subscription } = (await stripe('GET', `/v1/checkout/sessions/${session.id}`)).body;
  const [invoice] = (await stripe('GET', `/v1/invoices?subscription=${subscription}`)).body.data;
  heard = [];
  return { intent: invoice.payments.data[0].payment.payment_intent as string, invoice: invoice.id as string };
}

/** A payment of 100 rupees by a link. */
async function paidAtRazorpay() {
  const link = await razorpay('POST', '/v1/payment_links', { amount: 10_000, currency: 'INR' });
  await press(link.body.short_url, 'pay');
  const { body } = await razorpay('GET', `/v1/payment_links/${link.body.id}`);
  heard = [];
  return { payment: body.payments[0].payment_id as string, link: link.body.id as string };
}

describe("refunds at Stripe's stand-in", () => {
  it('give back a part and then the rest, and say so', async () => {
    const { intent, invoice } = await paidAtStripe();
    const part = await stripe('POST', '/v1/refunds', { payment_intent: intent, amount: '900' });
    expect(part).toMatchObject({
      status: 200,
      body: { object: 'refund', amount: 900, currency: 'usd', payment_intent: intent, status: 'succeeded' },
    });
    expect(part.body.id).toMatch(/^re_/);
    await expect(told(part.body.id, 'stripe')).resolves.toEqual(['refund.created', 'refund.updated']);
    const charge = await stripe('GET', `/v1/charges/${part.body.charge}`);
    expect(charge.body).toMatchObject({ amount: 1_900, amount_refunded: 900, refunded: false });
    const rest = await stripe('POST', '/v1/refunds', { charge: part.body.charge });
    expect(rest.body).toMatchObject({ amount: 1_000 });
    await expect(told(intent, 'stripe')).resolves.toContain('charge.refunded');
    const all = await stripe('GET', `/v1/refunds?payment_intent=${intent}`);
    expect(all.body.data.map(({ amount }: Json) => amount)).toEqual([1_000, 900]);
    expect((await stripe('GET', `/v1/refunds/${rest.body.id}`)).body).toEqual(rest.body);
    // Where the invoice is found since 2025.
    expect(charge.body).not.toHaveProperty('invoice');
    const links = await stripe('GET', `/v1/invoice_payments?payment[payment_intent]=${intent}`);
    expect(links.body.data).toMatchObject([{ object: 'invoice_payment', invoice, status: 'paid' }]);
  });

  it('are refused beyond what was paid, twice, and for what nobody knows', async () => {
    const { intent } = await paidAtStripe();
    expect(await stripe('POST', '/v1/refunds', {})).toMatchObject({
      status: 400,
      body: { error: { code: 'parameter_missing' } },
    });
    expect(await stripe('POST', '/v1/refunds', { payment_intent: 'pi_x' })).toMatchObject({
      status: 404,
      body: { error: { code: 'resource_missing' } },
    });
    expect(await stripe('POST', '/v1/refunds', { payment_intent: intent, amount: '1901' })).toMatchObject({
      status: 400,
      body: {
        error: { message: 'Refund amount ($19.01) is greater than unrefunded amount on charge ($19.00)' },
      },
    });
    expect(await stripe('POST', '/v1/refunds', { payment_intent: intent, amount: '-1' })).toMatchObject({
      status: 400,
      body: { error: { code: 'parameter_invalid_integer', param: 'amount' } },
    });
    await stripe('POST', '/v1/refunds', { payment_intent: intent });
    expect(await stripe('POST', '/v1/refunds', { payment_intent: intent })).toMatchObject({
      status: 400,
      body: { error: { code: 'charge_already_refunded' } },
    });
  });

  it('are refused while the payment is disputed', async () => {
    const { intent } = await paidAtStripe();
    await press(`${sandbox.url}/payments/stripe/${intent}`, 'dispute');
    expect(await stripe('POST', '/v1/refunds', { payment_intent: intent })).toMatchObject({
      status: 400,
      body: { error: { code: 'charge_disputed' } },
    });
    await press(`${sandbox.url}/payments/stripe/${intent}`, 'win');
    const [dispute] = (await stripe('GET', `/v1/disputes?payment_intent=${intent}`)).body.data;
    expect(dispute).toMatchObject({ object: 'dispute', status: 'won', amount: 1_900 });
    await expect(told(dispute.id, 'stripe')).resolves.toEqual([
      'charge.dispute.closed',
      'charge.dispute.created',
      'charge.dispute.funds_reinstated',
      'charge.dispute.funds_withdrawn',
    ]);
  });
});

describe("refunds at Razorpay's stand-in", () => {
  it('give back a part and then the rest, and say so', async () => {
    const { payment, link } = await paidAtRazorpay();
    const part = await razorpay('POST', `/v1/payments/${payment}/refund`, { amount: 4_000, receipt: 'r1' });
    expect(part).toMatchObject({
      status: 200,
      body: {
        entity: 'refund',
        amount: 4_000,
        payment_id: payment,
        receipt: 'r1',
        notes: [],
        status: 'processed',
      },
    });
    await expect(told(part.body.id, 'razorpay')).resolves.toEqual(['refund.created', 'refund.processed']);
    expect((await razorpay('GET', `/v1/payments/${payment}`)).body).toMatchObject({
      ...{ status: 'captured', amount_refunded: 4_000, refund_status: 'partial', invoice_id: null },
    });
    await razorpay('POST', `/v1/payments/${payment}/refund`, {});
    expect((await razorpay('GET', `/v1/payments/${payment}`)).body).toMatchObject({
      ...{ status: 'refunded', amount_refunded: 10_000, refund_status: 'full' },
    });
    const all = await razorpay('GET', `/v1/payments/${payment}/refunds`);
    expect(all.body).toMatchObject({ entity: 'collection', count: 2 });
    expect((await razorpay('GET', `/v1/payments/${payment}/refunds/${part.body.id}`)).body.id).toBe(
      part.body.id,
    );
    expect((await razorpay('GET', `/v1/refunds/${part.body.id}`)).body.id).toBe(part.body.id);
    const links = await razorpay('GET', `/v1/payment_links?payment_id=${payment}`);
    expect(links.body.payment_links.map(({ id }: Json) => id)).toEqual([link]);
  });

  it('are refused beyond what was paid, below a rupee, twice, and for what nobody knows', async () => {
    const { payment } = await paidAtRazorpay();
    const refused = async (of: string, amount?: number) => {
      const answer = await razorpay('POST', `/v1/payments/${of}/refund`, { amount });
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'BAD_REQUEST_ERROR' } } });
      return answer.body.error.description;
    };
    await expect(refused('pay_x')).resolves.toMatch(/does not exist/);
    await expect(refused(payment, 10_001)).resolves.toBe(
      'The refund amount provided is greater than amount captured',
    );
    await expect(refused(payment, 99)).resolves.toMatch(/INR 1.00/);
    await razorpay('POST', `/v1/payments/${payment}/refund`, {});
    await expect(refused(payment)).resolves.toBe('The payment has been fully refunded already');
  });
});

describe('the page of the stand-ins', () => {
  it('offers for each payment what can happen to it', async () => {
    const { payment } = await paidAtRazorpay();
    const url = `${sandbox.url}/payments/razorpay/${payment}`;
    /** Actions that are offered for it. */
    const offered = async () => {
      const page = await (await fetch(sandbox.url)).text();
      const forms = new RegExp(`action="/payments/razorpay/${payment}"><input[^>]* value="(\\w+)"`, 'g');
      return [...page.matchAll(forms)].map(([, action]) => action);
    };
    await expect(offered()).resolves.toEqual(['refund', 'refund_half', 'dispute']);
    await press(url, 'dispute');
    await expect(offered()).resolves.toEqual(['review', 'win', 'lose']);
    await press(url, 'review');
    await expect(offered()).resolves.toEqual(['win', 'lose']);
    await press(url, 'win');
    await press(url, 'refund');
    await expect(offered()).resolves.toEqual(['fail_refund']);
    await press(url, 'fail_refund');
    await expect(offered()).resolves.toContain('refund');
    expect((await press(url, 'rob')).status).toBe(400);
    expect((await press(`${sandbox.url}/payments/stripe/pi_x`, 'refund')).status).toBe(404);
    await sandbox.idle();
    expect(heard.map(({ text }) => JSON.parse(text).event)).toEqual(
      expect.arrayContaining([
        'payment.dispute.created',
        'payment.dispute.under_review',
        'payment.dispute.won',
      ]),
    );
  });
});
