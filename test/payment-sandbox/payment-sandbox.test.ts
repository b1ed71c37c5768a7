import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningPaymentSandbox, startPaymentSandbox } from '../../src/payment-sandbox/start.ts';
import { parseForm } from '../../src/payment-sandbox/stripe/stripe-form.ts';
import type { Json } from '../support/api-client.ts';

let stateDir: string;
let sandbox: RunningPaymentSandbox;
beforeEach(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'pingr-payments-'));
  sandbox = await startPaymentSandbox({ host: '127.0.0.1', port: 0, stateDir });
});
afterEach(async () => {
  await sandbox.close();
  await rm(stateDir, { recursive: true });
});

async function stripe(
  method: string,
  at: string,
  form?: Record<string, string>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${sandbox.url}${at}`, {
    method,
    headers: {
      authorization: `Bearer ${sandbox.keys.stripeSecretKey}`,
      'stripe-version': '2026-10-28.endive',
      ...headers,
    },
    ...(form && { body: new URLSearchParams(form) }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
}

async function razorpay(method: string, at: string, body?: object) {
  const { razorpayKeyId, razorpayKeySecret } = sandbox.keys;
  const response = await fetch(`${sandbox.razorpayUrl}${at}`, {
    method,
    headers: { authorization: `Basic ${btoa(`${razorpayKeyId}:${razorpayKeySecret}`)}` },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

const PRICE = {
  currency: 'usd',
  unit_amount: '1900',
  'recurring[interval]': 'month',
  'product_data[name]': 'Pingr',
};

describe("Stripe's stand-in", () => {
  it('refuses a wrong key, an unknown id and a missing parameter as Stripe does', async () => {
    expect(await stripe('GET', '/v1/prices', undefined, { authorization: 'Bearer sk_test_x' })).toMatchObject(
      {
        status: 401,
        body: { error: { type: 'invalid_request_error' } },
      },
    );
    expect(await stripe('GET', '/v1/subscriptions/sub_x')).toMatchObject({
      status: 404,
      body: { error: { code: 'resource_missing' } },
    });
    expect(await stripe('POST', '/v1/prices', { 'recurring[interval]': 'month' })).toMatchObject({
      status: 400,
      body: { error: { code: 'parameter_missing', param: 'currency' } },
    });
  });

  it('answers a repeat with the same key alike, and refuses another body under it', async () => {
    const once = { 'idempotency-key': 'k1' };
    const first = await stripe('POST', '/v1/prices', PRICE, once);
    expect(first.headers.get('stripe-version')).toBe('2026-10-28.endive');
    expect((await stripe('POST', '/v1/prices', PRICE, once)).body).toEqual(first.body);
    expect(await stripe('POST', '/v1/prices', { ...PRICE, unit_amount: '1' }, once)).toMatchObject({
      status: 400,
      body: { error: { type: 'idempotency_error' } },
    });
  });

  it('has the periods where they are since 2025', async () => {
    const price = (await stripe('POST', '/v1/prices', PRICE)).body.id;
    const { body: session } = await stripe('POST', '/v1/checkout/sessions', {
      ...{
        mode: 'subscription',
        'line_items[0][price]': price,
        success_url: 'https://a.test/?s={CHECKOUT_SESSION_ID}',
      },
    });
    const paid = await fetch(session.url, {
      method: 'POST',
      body: new URLSearchParams({ action: 'pay' }),
      redirect: 'manual',
    });
    expect(paid.headers.get('location')).toBe(`https://a.test/?s=${session.id}`);
    const { subscription } = (await stripe('GET', `/v1/checkout/sessions/${session.id}`)).body;
    const { body } = await stripe('GET', `/v1/subscriptions/${subscription}`);
    expect(body).not.toHaveProperty('current_period_end');
    expect(body.items.data[0].current_period_end).toBeGreaterThan(Date.now() / 1_000);
  });

  it('remembers everything over a restart, its keys too', async () => {
    const price = (await stripe('POST', '/v1/prices', { ...PRICE, lookup_key: 'one' })).body.id;
    const { keys } = sandbox;
    await sandbox.close();
    sandbox = await startPaymentSandbox({ host: '127.0.0.1', port: 0, stateDir });
    expect(sandbox.keys).toEqual(keys);
    const found = await stripe('GET', '/v1/prices?lookup_keys[0]=one');
    expect(found.body.data).toMatchObject([{ id: price, unit_amount: 1_900 }]);
  });

  it('goes on with the file of a version that knew less', async () => {
    await sandbox.close();
    const file = path.join(stateDir, 'payments.json');
    const { stripe: before, ...rest } = JSON.parse(await readFile(file, 'utf8'));
    const { charges: _charges, refunds: _refunds, disputes: _disputes, ...older } = before;
    await writeFile(file, JSON.stringify({ ...rest, stripe: older }));
    sandbox = await startPaymentSandbox({ host: '127.0.0.1', port: 0, stateDir });
    expect((await stripe('GET', '/v1/refunds')).body).toMatchObject({ object: 'list', data: [] });
  });

  it('reads bodies as its clients write them', () => {
    const form = parseForm('a[b][0][c]=1&a[b][1][c]=2&__proto__[x]=1&d=3');
    expect(JSON.parse(JSON.stringify(form))).toMatchObject({
      a: { b: { 0: { c: '1' }, 1: { c: '2' } } },
      d: '3',
    });
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false);
  });
});

describe("Razorpay's stand-in", () => {
  it('refuses as Razorpay does: 400 for what is unknown', async () => {
    expect(await razorpay('GET', '/v1/subscriptions/sub_x')).toMatchObject({
      status: 400,
      body: { error: { code: 'BAD_REQUEST_ERROR', description: 'The id provided does not exist' } },
    });
    expect(await razorpay('POST', '/v1/subscriptions', { plan_id: 'plan_x' })).toMatchObject({ status: 400 });
  });

  it('lets a subscription that nobody pays expire without a word', async () => {
    const plan = await razorpay('POST', '/v1/plans', {
      ...{ period: 'monthly', interval: 1, item: { name: 'x', amount: 100, currency: 'INR' } },
    });
    const made = await razorpay('POST', '/v1/subscriptions', {
      plan_id: plan.body.id,
      total_count: 1,
      expire_by: 1,
    });
    expect(made.body).toMatchObject({ status: 'created', notes: [] });
    expect((await razorpay('GET', `/v1/subscriptions/${made.body.id}`)).body.status).toBe('expired');
  });
});
