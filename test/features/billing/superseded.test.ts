import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../support/api-client.ts';
import { eventually } from '../../support/eventually.ts';
import { type Billing, openBilling } from './open-billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

type Account = Awaited<ReturnType<Billing['openAccount']>>;

/** Presses a button at the newest subscription of the stand-in. */
async function happen(provider: string, id: string, action: string): Promise<void> {
  await billing.press(`${billing.sandbox.url}/subscriptions/${provider}/${id}`, action);
}

async function buy({ checkout, subscription, providerId }: Account, plan: string, provider: string) {
  const { url } = await checkout({ plan, provider });
  await billing.press(url, 'pay');
  await eventually(subscription, (now) => now.plan === plan && now.status === 'active');
  return providerId();
}

async function mirrorsOf({ id }: Account): Promise<Json[]> {
  const { rows } = await billing.db.owner.query(
    `select plan, status, cancel_at_period_end as ends from provider_subscriptions where account_id = $1
     order by bought_at, id`,
    [id],
  );
  return rows;
}

/** The first period began a while ago, since providers count in seconds. */
const ageBy = ({ id }: Account, by: string) =>
  billing.db.owner.query(
    `update provider_subscriptions set bought_at = bought_at - $2::interval where account_id = $1`,
    [id, by],
  );

async function halted(provider: 'stripe' | 'razorpay', plan = 'starter') {
  const account = await billing.openAccount();
  const old = await buy(account, plan, provider);
  await ageBy(account, '1 day');
  await happen(provider, old, 'fail');
  await eventually(account.subscription, ({ status }) => status === 'past_due');
  await happen(provider, old, 'halt');
  await eventually(account.subscription, ({ plan: now }) => now === 'trial');
  return { account, old };
}

describe.each(['stripe', 'razorpay'] as const)(
  'a subscription by %s that the provider stopped',
  (provider) => {
    it('ends when another plan is bought, so that a late payment brings it back no more', async () => {
      const { account, old } = await halted(provider);
      await buy(account, 'growth', provider);
      const mirrors = await eventually(
        () => mirrorsOf(account),
        ([first]) => first?.['status'] === 'cancelled',
      );
      expect(mirrors).toMatchObject([
        { plan: 'starter', status: 'cancelled' },
        { plan: 'growth', status: 'active', ends: false },
      ]);
      await happen(provider, old, 'renew');
      await billing.sandbox.idle();
      await expect(account.subscription()).resolves.toMatchObject({
        ...{ plan: 'growth', status: 'active', renews: true },
      });
    });

    it('that was paid before it could be ended ends with its period, and the plan bought since goes on', async () => {
      const { account, old } = await halted(provider);
      billing.sandbox.sendWebhooksTo('http://127.0.0.1:9');
      await happen(provider, old, 'renew');
      billing.sandbox.sendWebhooksTo(billing.edge.url);
      await buy(account, 'growth', provider);
      const mirrors = await eventually(
        () => mirrorsOf(account),
        ([first]) => first?.['status'] === 'active' && first['ends'],
      );
      expect(mirrors).toMatchObject([
        { plan: 'starter', status: 'active', ends: true },
        { plan: 'growth', status: 'active', ends: false },
      ]);
      await expect(account.subscription()).resolves.toMatchObject({ plan: 'growth', status: 'active' });
    });
  },
);

describe('a smaller plan that is paid while a larger one runs', () => {
  it('leaves the larger one its paid period, and follows it', async () => {
    const account = await billing.openAccount();
    const scale = await account.checkout({ plan: 'scale', provider: 'stripe' });
    const starter = await account.checkout({ plan: 'starter', provider: 'stripe' });
    await billing.press(scale.url, 'pay');
    await eventually(account.subscription, ({ plan }) => plan === 'scale');
    const id = await account.providerId();
    await ageBy(account, '1 day');
    await billing.press(starter.url, 'pay');
    const mirrors = await eventually(
      () => mirrorsOf(account),
      (rows) => rows.some(({ ends }) => ends),
    );
    expect(mirrors).toMatchObject([
      { plan: 'scale', status: 'active', ends: true },
      { plan: 'starter', status: 'active', ends: false },
    ]);
    await expect(
      eventually(account.subscription, ({ status }) => status === 'cancelled'),
    ).resolves.toMatchObject({ plan: 'scale' });
    await happen('stripe', id, 'renew');
    await expect(eventually(account.subscription, ({ plan }) => plan === 'starter')).resolves.toMatchObject({
      status: 'active',
      renews: true,
    });
  });
});
