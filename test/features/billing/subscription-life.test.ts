import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { type Billing, openBilling } from './open-billing.ts';

let billing: Billing;
beforeAll(async () => {
  // As bad as the providers' documents allow: half of all webhooks come twice, and in any order.
  billing = await openBilling({ chaos: { repeats: 0.5, random: Math.random } });
});
afterAll(() => billing.close());

const PLANS = {
  stripe: { amount: 4_900, currency: 'USD', shown: '$49.00' },
  razorpay: { amount: 399_900, currency: 'INR', shown: '₹3,999.00' },
} as const;

async function factsOf(account: string): Promise<{ type: string; status?: string; plan: string }[]> {
  const { rows } = await billing.db.owner.query(
    `select type, data ->> 'status' as status, data ->> 'plan' as plan from events where account_id = $1 order by txid, id`,
    [account],
  );
  return rows;
}

describe.each(['stripe', 'razorpay'] as const)('a subscription by %s', (provider) => {
  const price = PLANS[provider];

  async function subscribed(plan = 'growth', interval = 'month') {
    const account = await billing.openAccount();
    const { url } = await account.checkout({ plan, interval, provider });
    await billing.press(url, 'pay');
    await eventually(account.subscription, ({ status }) => status === 'active');
    const let_ = async (action: string) =>
      billing.press(`${billing.sandbox.url}/subscriptions/${provider}/${await account.providerId()}`, action);
    const becomes = (status: string) => eventually(account.subscription, (now) => now.status === status);
    return { ...account, happen: let_, becomes };
  }

  it('goes from the trial to a paid plan, with one receipt', async () => {
    const account = await billing.openAccount();
    await expect(account.subscription()).resolves.toMatchObject({
      status: 'trialing',
      plan: 'trial',
      provider: null,
    });
    const { url } = await account.checkout({ plan: 'growth', provider });
    const page = await (await fetch(url)).text();
    expect(page).toContain('no money moves');
    await expect(account.subscription()).resolves.toMatchObject({ status: 'trialing' });
    await billing.press(url, 'pay');
    const active = await eventually(account.subscription, ({ status }) => status === 'active');
    expect(active).toMatchObject({
      ...{ plan: 'growth', provider, interval: 'month', renews: true, cancel_at_period_end: false },
      ...{ amount: price.amount, currency: price.currency },
      live: { messages: { limit: 50_000, used: 0 }, sessions: { limit: 10, used: 0 } },
    });
    await billing.sandbox.idle();
    await eventually(
      async () => (await account.call('GET', '/v1/billing/invoices')).json<{ data: object[] }>().data,
      (invoices) => invoices.length === 1,
    );
    const receipts = billing.mails.filter((mail) => mail.accountId === account.id);
    expect(receipts).toMatchObject([
      {
        to: `${account.id}@example.com`,
        template: 'receipt',
        values: { amount: price.shown, planName: 'Growth' },
      },
    ]);
    expect(await factsOf(account.id)).toEqual([
      { type: 'subscription.changed', status: 'active', plan: 'growth' },
      { type: 'invoice.paid', status: null, plan: 'growth' },
    ]);
  });

  it('stays in the trial where the payment fails or is cancelled', async () => {
    const account = await billing.openAccount();
    const { url } = await account.checkout({
      plan: 'growth',
      provider,
      return_url: 'https://shop.test/back',
    });
    expect((await billing.press(url, 'fail')).text).toMatch(/declined|refused/);
    expect((await billing.press(url, 'cancel')).status).toBe(303);
    await expect(account.subscription()).resolves.toMatchObject({ status: 'trialing' });
    await billing.press(url, 'pay');
    await eventually(account.subscription, ({ status }) => status === 'active');
  });

  it('is past due when a renewal fails, halts when the provider stops trying, and ends', async () => {
    const account = await subscribed();
    await account.happen('fail');
    await expect(account.becomes('past_due')).resolves.toMatchObject({ plan: 'growth' });
    await account.happen('halt');
    // The trial still runs, so that is what is left.
    await account.becomes('trialing');
    await billing.db.owner.query(`update subscriptions set trial_ends_at = now() where account_id = $1`, [
      account.id,
    ]);
    await account.happen('halt');
    await expect(account.becomes('halted')).resolves.toMatchObject({
      plan: 'free',
      live: { messages: { limit: 0 } },
    });
    await account.happen('cancel');
    await expect(account.becomes('free')).resolves.toMatchObject({ plan: 'free', provider: null });
  });

  it('recovers when the missing payment is made', async () => {
    const account = await subscribed();
    await account.happen('fail');
    await account.becomes('past_due');
    await account.happen('renew');
    await account.becomes('active');
    await billing.sandbox.idle();
    const invoices = await eventually(
      async () =>
        (await account.call('GET', '/v1/billing/invoices')).json<{ data: { status: string }[] }>().data,
      (all) => all.length === 2 && all.every(({ status }) => status === 'paid'),
    );
    expect(invoices).toHaveLength(2);
    expect(billing.mails.filter((mail) => mail.accountId === account.id)).toHaveLength(2);
  });

  it('is cancelled with the period, the plan going on until then', async () => {
    const account = await subscribed();
    const cancelled = await account.call('POST', '/v1/billing/cancel', {});
    expect(cancelled.json()).toMatchObject({
      status: 'cancelled',
      plan: 'growth',
      cancel_at_period_end: true,
      renews: false,
    });
    const resumed = await account.call('POST', '/v1/billing/resume');
    if (provider === 'stripe') {
      expect(resumed.json()).toMatchObject({ status: 'active', cancel_at_period_end: false });
      await account.call('POST', '/v1/billing/cancel', { at: 'period_end' });
    } else {
      expect(resumed.json()).toMatchObject({ status: 409, code: 'billing.cannot_resume' });
    }
    await billing.db.owner.query(`update subscriptions set trial_ends_at = now() where account_id = $1`, [
      account.id,
    ]);
    await account.happen('renew');
    await account.becomes('free');
  });

  it('ends at once where that is asked', async () => {
    const account = await subscribed();
    await billing.db.owner.query(`update subscriptions set trial_ends_at = now() where account_id = $1`, [
      account.id,
    ]);
    const cancelled = await account.call('POST', '/v1/billing/cancel', { at: 'now' });
    expect(cancelled.json()).toMatchObject({ status: 'free', plan: 'free' });
  });

  it('changes upwards at once, and downwards with the next period', async () => {
    const account = await subscribed();
    const up = await account.call('POST', '/v1/billing/change-plan', { plan: 'scale' });
    expect(up.json()).toMatchObject({
      plan: 'scale',
      status: 'active',
      live: { messages: { limit: 250_000 } },
    });
    const down = await account.call('POST', '/v1/billing/change-plan', { plan: 'starter' });
    expect(down.json()).toMatchObject({
      plan: 'scale',
      scheduled_plan: 'starter',
      scheduled_interval: 'month',
    });
    const again = await account.call('POST', '/v1/billing/change-plan', { plan: 'starter' });
    expect(again.json()).toMatchObject({ code: 'billing.same_plan' });
    await account.happen('renew');
    const changed = await eventually(account.subscription, ({ plan }) => plan === 'starter');
    expect(changed).toMatchObject({
      status: 'active',
      scheduled_plan: null,
      live: { messages: { limit: 10_000 } },
    });
  });

  it('is not bought twice', async () => {
    const account = await subscribed();
    const second = await account.call('POST', '/v1/billing/checkout', { plan: 'scale', provider });
    expect(second.json()).toMatchObject({ status: 409, code: 'billing.already_subscribed' });
  });

  it('opens the page where the card is changed', async () => {
    const account = await subscribed();
    const portal = await account.call('POST', '/v1/billing/portal', { return_url: 'https://shop.test/back' });
    expect(portal.status).toBe(201);
    expect((await fetch(portal.json<{ url: string }>().url)).status).toBe(200);
  });

  it('comes to light without any webhook, by asking the provider', async () => {
    const account = await billing.openAccount();
    billing.sandbox.sendWebhooksTo('http://127.0.0.1:9');
    try {
      const { url } = await account.checkout({ plan: 'growth', provider });
      await billing.press(url, 'pay');
      await expect(account.subscription()).resolves.toMatchObject({ status: 'trialing' });
      const { reconcile } = await import('../../../src/features/billing/reconcile.ts');
      const known = billing.providers.find(provider);
      if (known === undefined) throw new Error('no provider');
      await reconcile(billing.parts, known);
      await expect(account.subscription()).resolves.toMatchObject({ status: 'active', plan: 'growth' });
    } finally {
      billing.sandbox.sendWebhooksTo(billing.edge.url);
    }
  });
});
