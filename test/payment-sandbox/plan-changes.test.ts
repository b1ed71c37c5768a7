import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningPaymentSandbox, startPaymentSandbox } from '../../src/payment-sandbox/start.ts';
import type { Json } from '../support/api-client.ts';

const DAY = 86_400;
let now = new Date('2026-11-01T00:00:00Z');
let sandbox: RunningPaymentSandbox;
beforeAll(async () => {
  sandbox = await startPaymentSandbox({ host: '127.0.0.1', port: 0, now: () => now });
});
afterAll(() => sandbox.close());

async function call(method: string, url: string, authorization: string, body?: string) {
  const response = await fetch(url, { method, headers: { authorization }, ...(body && { body }) });
  return { status: response.status, body: (await response.json()) as Json };
}

const stripe = (method: string, path: string, form?: Record<string, string>) =>
  call(
    method,
    `${sandbox.url}/v1/${path}`,
    `Bearer ${sandbox.keys.stripeSecretKey}`,
    form && new URLSearchParams(form).toString(),
  );

function razorpay(method: string, path: string, body?: object) {
  const { razorpayKeyId: id, razorpayKeySecret: secret } = sandbox.keys;
  const text = body && JSON.stringify(body);
  return call(method, `${sandbox.razorpayUrl}/v1/${path}`, `Basic ${btoa(`${id}:${secret}`)}`, text);
}

const press = (path: string, action: string) =>
  fetch(`${sandbox.url}${path}`, {
    method: 'POST',
    body: new URLSearchParams({ action }),
    redirect: 'manual',
  });

describe("Stripe's stand-in", () => {
  const price = async (amount: number, interval: string): Promise<string> =>
    (
      await stripe('POST', 'prices', {
        ...{ currency: 'usd', unit_amount: String(amount), 'recurring[interval]': interval },
        'product_data[name]': 'x',
      })
    ).body.id;

  /** Fifteen of thirty days are left. */
  async function halfway() {
    now = new Date('2026-11-01T00:00:00Z');
    const form = { 'line_items[0][price]': await price(4_900, 'month'), success_url: 'https://a.test/' };
    const { body: session } = await stripe('POST', 'checkout/sessions', { mode: 'subscription', ...form });
    await press(`/pay/stripe/${session.id}`, 'pay');
    const id: string = (await stripe('GET', `checkout/sessions/${session.id}`)).body.subscription;
    now = new Date('2026-11-16T00:00:00Z');
    const { body } = await stripe('GET', `subscriptions/${id}`);
    const change = (to: string, form: Record<string, string> = {}) =>
      stripe('POST', `subscriptions/${id}`, {
        ...{ 'items[0][id]': body.items.data[0].id, 'items[0][price]': to },
        ...{ proration_behavior: 'always_invoice', ...form },
      });
    const invoices = async (): Promise<Json[]> =>
      (await stripe('GET', `invoices?subscription=${id}`)).body.data;
    return { id, change, invoices };
  }

  it('charges the difference of what is left within an interval', async () => {
    const { change, invoices } = await halfway();
    const { body } = await change(await price(19_900, 'month'));
    expect(body.items.data[0].current_period_end).toBe(Date.parse('2026-12-01') / 1_000);
    expect(await invoices()).toMatchObject([{ total: 7_500, status: 'paid' }, { total: 4_900 }]);
  });

  it('begins a period where the interval changes, less what is left of the old one', async () => {
    const { change, invoices } = await halfway();
    const { body } = await change(await price(49_000, 'year'));
    expect(body.items.data[0]).toMatchObject({
      current_period_start: Date.parse('2026-11-16') / 1_000,
      current_period_end: Date.parse('2027-11-16') / 1_000,
    });
    expect(await invoices()).toMatchObject([{ total: 46_550, status: 'paid' }, { total: 4_900 }]);
  });

  it('credits what is left where that is more, without a payment', async () => {
    const { change, invoices } = await halfway();
    await change(await price(900, 'month'));
    const [credit] = await invoices();
    expect(credit).toMatchObject({ total: -2_000, amount_paid: 0, payments: { data: [] } });
  });

  it('declines as each `payment_behavior` says', async () => {
    const larger = await price(19_900, 'month');
    const declined = async (behavior: string) => {
      const account = await halfway();
      await press(`/subscriptions/stripe/${account.id}`, 'decline');
      const answer = await account.change(larger, { payment_behavior: behavior });
      return { ...account, answer, charged: await account.invoices() };
    };
    const refused = await declined('error_if_incomplete');
    expect(refused.answer).toMatchObject({
      status: 402,
      body: { error: { type: 'card_error', code: 'card_declined' } },
    });
    expect(refused.charged).toHaveLength(1);
    const owing = await declined('allow_incomplete');
    expect(owing.answer.body).toMatchObject({
      status: 'past_due',
      items: { data: [{ price: { id: larger } }] },
    });
    const pending = await declined('pending_if_incomplete');
    expect(pending.answer.body).toMatchObject({
      ...{ status: 'active', latest_invoice: pending.charged[0]?.['id'] },
      pending_update: {
        subscription_items: [{ price: { id: larger } }],
        expires_at: Date.parse('2026-11-16T23:00:00Z') / 1_000,
      },
    });
    expect(pending.answer.body.items.data[0].price.unit_amount).toBe(4_900);
    expect(pending.charged[0]).toMatchObject({ status: 'open' });
    now = new Date('2026-11-18T00:00:00Z');
    const { body } = await stripe('GET', `subscriptions/${pending.id}`);
    expect(body.pending_update).toBeNull();
    expect((await pending.invoices())[0]).toMatchObject({ status: 'void' });
  });

  it('refuses what a pending update cannot have', async () => {
    const { change } = await halfway();
    const answer = await change(await price(19_900, 'month'), {
      ...{ payment_behavior: 'pending_if_incomplete', 'metadata[x]': '1' },
    });
    expect(answer).toMatchObject({ status: 400, body: { error: { param: 'metadata' } } });
  });
});

describe("Razorpay's stand-in", () => {
  const plan = async (amount: number, period: string): Promise<string> =>
    (await razorpay('POST', 'plans', { period, interval: 1, item: { name: 'x', amount, currency: 'INR' } }))
      .body.id;

  async function halfway() {
    now = new Date('2026-11-01T00:00:00Z');
    const { body } = await razorpay('POST', 'subscriptions', {
      ...{ plan_id: await plan(149_900, 'monthly'), total_count: 12 },
    });
    await press(`/pay/razorpay/${body.id}`, 'pay');
    now = new Date('2026-11-16T00:00:00Z');
    const change = (to: string) =>
      razorpay('PATCH', `subscriptions/${body.id}`, { plan_id: to, schedule_change_at: 'now' });
    const invoices = async (): Promise<Json[]> =>
      (await razorpay('GET', `invoices?subscription_id=${body.id}`)).body.items;
    return { id: String(body.id), change, invoices };
  }

  it('charges the difference of what is left within a frequency', async () => {
    const { change, invoices } = await halfway();
    const { body } = await change(await plan(399_900, 'monthly'));
    expect(body).toMatchObject({ current_end: Date.parse('2026-12-01') / 1_000 });
    expect(await invoices()).toMatchObject([{ amount: 125_000, status: 'paid' }, { amount: 149_900 }]);
  });

  it('begins a cycle where the frequency changes, less what is left of the old one', async () => {
    const { change, invoices } = await halfway();
    const { body } = await change(await plan(3_999_000, 'yearly'));
    const start = Date.parse('2026-11-16') / 1_000;
    expect(body).toMatchObject({ current_start: start, current_end: start + 365 * DAY });
    expect(await invoices()).toMatchObject([{ amount: 3_924_050 }, { amount: 149_900 }]);
  });

  it('refunds where less is due', async () => {
    const { change, invoices } = await halfway();
    await change(await plan(49_900, 'monthly'));
    const [first] = await invoices();
    const { body } = await razorpay('GET', `payments/${first?.['payment_id']}`);
    expect(body).toMatchObject({ amount_refunded: 50_000, refund_status: 'partial' });
  });

  it('changes nothing where the charge is declined', async () => {
    const { id, change, invoices } = await halfway();
    await press(`/subscriptions/razorpay/${id}`, 'decline');
    const before = (await razorpay('GET', `subscriptions/${id}`)).body;
    expect(await change(await plan(399_900, 'monthly'))).toMatchObject({
      status: 400,
      body: { error: { reason: 'payment_failed', step: 'payment_authorization' } },
    });
    expect((await razorpay('GET', `subscriptions/${id}`)).body).toEqual(before);
    expect(await invoices()).toHaveLength(1);
  });
});
