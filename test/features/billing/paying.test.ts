import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createBillingService } from '../../../src/features/billing/billing.service.ts';
import { endSubscriptions } from '../../../src/features/billing/end-subscriptions.ts';
import { createPlanLimits } from '../../../src/features/billing/plan-limits.ts';
import { setBasePlan } from '../../../src/features/billing/settle.system.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createNotices } from '../../../src/platform/db/notices.ts';
import { principal } from '../../platform/http/open-edge.ts';
import type { Json } from '../../support/api-client.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLog } from '../../support/log.ts';
import { type Billing, openBilling } from './open-billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

const paid = async (plan = 'growth') => {
  const account = await billing.openAccount();
  const { url } = await account.checkout({ plan, provider: 'stripe' });
  await billing.press(url, 'pay');
  await eventually(account.subscription, ({ status }) => status === 'active');
  return account;
};

describe('plans', () => {
  it('are listed with their prices, and the own one with them', async () => {
    const { call } = await billing.openAccount();
    const { data } = (await call('GET', '/v1/plans')).json<{ data: Json[] }>();
    expect(data.map(({ id, prices }: Json) => [id, prices.length])).toEqual([
      ['trial', 0],
      ['starter', 4],
      ['growth', 4],
      ['scale', 4],
    ]);
    expect(data[1].prices).toContainEqual({ interval: 'month', currency: 'INR', amount: 149_900 });
  });

  it('are asked of the database once', async () => {
    const { id } = await billing.openAccount();
    let calls = 0;
    const database = new Proxy(billing.db.database, {
      get(target, name, receiver) {
        calls += 1;
        return Reflect.get(target, name, receiver);
      },
    });
    const service = createBillingService({ ...billing.parts, database });
    await expect(
      service.plans({ ...principal({ accountId: id }), requestId: 'req_1', log: silentLog }),
    ).resolves.toHaveLength(4);
    expect(calls).toBe(1);
  });
});

describe('a checkout', () => {
  it('says what is wrong with it', async () => {
    const { call } = await billing.openAccount();
    const codes = async (body: object) =>
      (await call('POST', '/v1/billing/checkout', body)).json<Json>().code;
    await expect(codes({ plan: 'free' })).resolves.toBe('billing.plan_not_sold');
    await expect(codes({ plan: 'gold' })).resolves.toBe('billing.plan_not_sold');
    await expect(codes({ plan: 'growth', provider: 'paypal' })).resolves.toBe('request.invalid');
    await expect(codes({ plan: 'growth', provider: 'stripe', renews: false })).resolves.toBe(
      'billing.one_off_unsupported',
    );
    await expect(codes({ plan: 'growth', return_url: 'javascript:alert(1)' })).resolves.toBe(
      'request.invalid',
    );
  });

  it('leads to one page where it is asked for again', async () => {
    const { checkout } = await billing.openAccount();
    const first = await checkout({ plan: 'growth', provider: 'razorpay' });
    await expect(checkout({ plan: 'growth', provider: 'razorpay' })).resolves.toEqual(first);
    const other = await checkout({ plan: 'starter', provider: 'razorpay' });
    expect(other.url).not.toBe(first.url);
  });

  it('makes the price at the provider once, for all who buy it at once', async () => {
    const accounts = await Promise.all(Array.from({ length: 5 }, () => billing.openAccount()));
    await Promise.all(
      accounts.map(({ checkout }) => checkout({ plan: 'scale', interval: 'year', provider: 'stripe' })),
    );
    const { rows } = await billing.db.owner.query(
      `select provider_price_id from app.provider_prices where plan = 'scale' and interval = 'year' and provider = 'stripe'`,
    );
    expect(rows).toHaveLength(1);
  });

  it('says 503 while the provider cannot be reached', async () => {
    const lost = await openBilling();
    try {
      await lost.sandbox.close();
      const { call } = await lost.openAccount();
      for (const provider of ['stripe', 'razorpay']) {
        const answer = await call('POST', '/v1/billing/checkout', { plan: 'growth', provider });
        expect(answer.json()).toMatchObject({ status: 503, code: 'billing.provider_unavailable' });
      }
    } finally {
      await lost.close();
    }
  });

  it('that is paid beside another ends the older subscription with its period', async () => {
    const account = await billing.openAccount();
    const first = await account.checkout({ plan: 'starter', provider: 'stripe' });
    const second = await account.checkout({ plan: 'growth', provider: 'razorpay' });
    await billing.press(first.url, 'pay');
    await eventually(account.subscription, ({ plan }) => plan === 'starter');
    // Providers count in seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await billing.press(second.url, 'pay');
    const mirrors = async () =>
      (
        await billing.db.owner.query(
          `select plan, status, cancel_at_period_end as ends from provider_subscriptions where account_id = $1 order by id`,
          [account.id],
        )
      ).rows;
    const paid = await eventually(mirrors, (rows) => rows.some(({ ends }) => ends));
    expect(paid.map(({ plan, status, ends }) => [plan, status, ends]).toSorted()).toEqual([
      ['growth', 'active', false],
      ['starter', 'active', true],
    ]);
    await expect(account.subscription()).resolves.toMatchObject({ plan: 'growth', status: 'active' });
  });

  it('remembers the customer for the next one', async () => {
    const account = await paid();
    await account.call('POST', '/v1/billing/cancel', { at: 'now' });
    const { url } = await account.checkout({ plan: 'starter', provider: 'stripe' });
    await billing.press(url, 'pay');
    await eventually(account.subscription, ({ plan, status }) => plan === 'starter' && status === 'active');
    const { rows } = await billing.db.owner.query(
      'select count(distinct provider_customer_id)::int as n from provider_subscriptions where account_id = $1',
      [account.id],
    );
    expect(rows).toEqual([{ n: 1 }]);
  });
});

describe('a payment link', () => {
  it('pays one period, proven by what the person brings back, and then ends', async () => {
    const account = await billing.openAccount();
    // No webhook comes: they would tell the period that the provider knows, which this test moves.
    billing.sandbox.sendWebhooksTo('http://127.0.0.1:9');
    onTestFinished(() => billing.sandbox.sendWebhooksTo(billing.edge.url));
    const { url, razorpay } = await account.checkout({
      ...{ plan: 'growth', provider: 'razorpay', renews: false, return_url: 'https://shop.test/back?x=1' },
    });
    expect(razorpay).toMatchObject({
      subscription_id: null,
      payment_link_id: expect.stringMatching(/^plink_/),
    });
    const { location } = await billing.press(url, 'pay');
    const back = new URL(location ?? '');
    expect(back.origin).toBe('https://shop.test');
    const proof = Object.fromEntries([...back.searchParams].filter(([name]) => name.startsWith('razorpay_')));
    const forged = await account.call('POST', '/v1/billing/checkout/confirm', {
      ...proof,
      razorpay_payment_id: 'pay_x',
    });
    expect(forged.json()).toMatchObject({ status: 422, code: 'billing.payment_proof_invalid' });
    const confirmed = await account.call('POST', '/v1/billing/checkout/confirm', proof);
    expect(confirmed.json()).toMatchObject({ plan: 'growth', status: 'active', renews: false });
    const stranger = await billing.openAccount();
    const stolen = await stranger.call('POST', '/v1/billing/checkout/confirm', proof);
    expect(stolen.json()).toMatchObject({ code: 'billing.payment_proof_invalid' });

    await billing.db.owner.query(
      `update provider_subscriptions set current_end = now() - interval '1 minute' where account_id = $1`,
      [account.id],
    );
    await billing.db.owner.query(
      `update subscriptions set trial_ends_at = now(), next_change_at = now() where account_id = $1`,
      [account.id],
    );
    await billing.keep();
    await expect(account.subscription()).resolves.toMatchObject({ plan: 'free', status: 'free' });
  });
});

describe('invoices', () => {
  it("are an account's own, and paged", async () => {
    const account = await paid();
    const id = await account.providerId();
    for (let i = 0; i < 2; i++)
      await billing.press(`${billing.sandbox.url}/subscriptions/stripe/${id}`, 'renew');
    const page = async (query: string) =>
      (await account.call('GET', `/v1/billing/invoices${query}`)).json<Json>();
    await eventually(
      () => page(''),
      ({ data }) => data.length === 3,
    );
    const first = await page('?limit=2');
    expect(first).toMatchObject({ has_more: true });
    const second = await page(`?limit=2&after=${first.next_cursor}`);
    expect(second.data).toHaveLength(1);
    const stranger = await billing.openAccount();
    expect((await stranger.call('GET', '/v1/billing/invoices')).json()).toMatchObject({ data: [] });
  });
});

describe('time', () => {
  it('ends a trial, warns before, and stops live messages but not test mode', async () => {
    const account = await billing.openAccount();
    const at = async (when: string) => {
      await billing.db.owner.query(
        `update subscriptions set trial_ends_at = now() + $2::interval, next_change_at = now() + $2::interval where account_id = $1`,
        [account.id, when],
      );
      await billing.keep();
    };
    await at('3 days');
    expect(billing.mails.filter(({ accountId }) => accountId === account.id)).toEqual([]);
    await at('1 day');
    await at('1 day');
    expect(billing.mails.filter(({ accountId }) => accountId === account.id)).toMatchObject([
      { template: 'trial_ending' },
    ]);
    await at('-1 second');
    await expect(account.subscription()).resolves.toMatchObject({
      ...{ status: 'free', plan: 'free' },
      live: { messages: { limit: 0 } },
      test: { messages: { limit: 1_000_000 } },
    });
    const taken = await billing.db.database.accountOnce({ accountId: account.id, mode: 'live' }, (tx) =>
      tx.query<{ ok: boolean }>(`select app.take_message($1, 'live') as ok`, [account.id]),
    );
    expect(taken).toEqual([{ ok: false }]);
  });

  it('writes once about contents that a smaller plan keeps for less time, but not at the end of a trial', async () => {
    const account = await billing.openAccount();
    const plan = (id: string, status: string) =>
      billing.db.owner.query('update subscriptions set plan = $2, status = $3 where account_id = $1', [
        account.id,
        id,
        status,
      ]);
    const mails = async () => {
      await billing.keep();
      return billing.mails.filter(({ accountId }) => accountId === account.id);
    };
    await plan('free', 'free');
    expect(await mails()).toEqual([]);
    await plan('starter', 'active');
    await plan('free', 'free');
    await mails();
    expect(await mails()).toMatchObject([
      { template: 'content_shortened', values: { planName: 'Free', daysBefore: 90, daysAfter: 30 } },
    ]);
  });

  it('writes once about a quota that is nearly used, and once about one that is', async () => {
    const account = await billing.openAccount();
    const use = async (left: number) => {
      await billing.db.owner.query(
        `update quotas set unreserved = $2 where account_id = $1 and mode = 'live'`,
        [account.id, left],
      );
      await billing.db.database.accountOnce({ accountId: account.id, mode: 'live' }, (tx) =>
        tx.query(`select app.take_message($1, 'live')`, [account.id]),
      );
      await billing.keep();
      await billing.keep();
      return billing.mails
        .filter(({ accountId }) => accountId === account.id)
        .map(({ template }) => template);
    };
    await expect(use(500)).resolves.toEqual([]);
    await expect(use(200)).resolves.toEqual(['quota_warning']);
    await expect(use(1)).resolves.toEqual(['quota_warning', 'quota_reached']);
  });

  it('says that a quota is used up where the last message could not', async () => {
    const account = await billing.openAccount();
    await billing.db.owner.query(
      `update quotas set unreserved = 0, warned_at = now() where account_id = $1 and mode = 'live'`,
      [account.id],
    );
    await billing.keep();
    const { rows } = await billing.db.owner.query(`select type from events where account_id = $1`, [
      account.id,
    ]);
    expect(rows).toEqual([{ type: 'quota.reached' }]);
  });
});

describe('an account that is erased', () => {
  it('pays for nothing any more, however often that is asked', async () => {
    const account = await paid();
    await endSubscriptions(billing.parts, account.id);
    await endSubscriptions(billing.parts, account.id);
    const stripe = billing.providers.find('stripe');
    await expect(stripe?.fetchSubscription(await account.providerId())).resolves.toMatchObject({
      status: 'cancelled',
    });
  });

  it('is not forgotten while the provider cannot be reached', async () => {
    const own = await openBilling();
    try {
      const account = await own.openAccount();
      await account.checkout({ plan: 'growth', provider: 'razorpay' });
      await own.sandbox.close();
      await expect(endSubscriptions(own.parts, account.id)).rejects.toMatchObject({
        code: 'billing.provider_unavailable',
      });
    } finally {
      await own.close();
    }
  });
});

describe('an upgrade', () => {
  it('keeps what was used of the month', async () => {
    const account = await paid('starter');
    await billing.db.owner.query(
      `update quotas set unreserved = unreserved - 9000 where account_id = $1 and mode = 'live'`,
      [account.id],
    );
    await account.call('POST', '/v1/billing/change-plan', { plan: 'growth' });
    await expect(account.subscription()).resolves.toMatchObject({
      live: { messages: { limit: 50_000, used: 9_000 } },
    });
  });
});

describe('an installation that a team runs for itself', () => {
  it('limits nobody', async () => {
    const own = await openBilling();
    try {
      const { subscription } = await own.openAccount();
      await own.db.database.systemOnce((tx) => setBasePlan(tx, 'unlimited'));
      await own.keep();
      const unlimited = { plan: 'unlimited', status: 'free', live: { messages: { limit: null } } };
      await expect(subscription()).resolves.toMatchObject(unlimited);
      const later = await own.openAccount();
      await expect(later.subscription()).resolves.toMatchObject(unlimited);
    } finally {
      await own.close();
    }
  });
});

describe("a plan's rate limit", () => {
  it('is known from memory, and anew as soon as the plan changes', async () => {
    const notices = createNotices({ url: billing.db.url, clock: systemClock, log: silentLog });
    const limits = await createPlanLimits({ database: billing.db.database, notices, log: silentLog });
    const account = await paid('starter');
    const of = (mode: 'test' | 'live') => limits.requestsPerMinute({ accountId: account.id, mode }, 77);
    await expect(of('live')).resolves.toBe(300);
    expect(of('live')).toBe(300);
    expect(of('test')).toBe(77);
    await account.call('POST', '/v1/billing/change-plan', { plan: 'scale' });
    await eventually(
      () => of('live'),
      (limit) => limit === 6_000,
      // Sooner than what is known would be looked up again.
      45_000,
    );
    await notices.close();
  });
});
