import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createBillingService } from '../../../src/features/billing/billing.service.ts';
import type { PaymentProvider } from '../../../src/features/billing/payment-provider.ts';
import { createProviders } from '../../../src/features/billing/providers.ts';
import { refreshSubscription } from '../../../src/features/billing/refresh-subscription.ts';
import { newUuid } from '../../../src/lib/ids.ts';
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

const AGENT = { 'user-agent': 'a browser' };

/** A change that is made. */
async function asked(answer: Promise<{ status: number; text: string }>): Promise<void> {
  const { status, text } = await answer;
  expect(status, text).toBe(200);
}

async function subscribed(provider: 'stripe' | 'razorpay', plan = 'starter') {
  const person = { type: 'user', id: newUuid(), role: 'owner' } as const;
  const account = await billing.openAccount(person);
  const answer = await account.call('POST', '/v1/billing/checkout', { plan, provider }, AGENT);
  await billing.press(answer.json<Json>().url, 'pay');
  await eventually(account.subscription, ({ status }) => status === 'active');
  await billing.sandbox.idle();
  return { ...account, person };
}

/** Whom the log names for each change of a column, oldest first. */
async function namedFor({ id }: { id: string }, table: string, column: string): Promise<Json[]> {
  const { rows } = await billing.db.owner.query(
    `select actor_type as type, actor_id as id, ip, user_agent as agent, request_id as request,
       after ->> $3 as after from audit_log
     where account_id = $1 and target_type = $2 and after ? $3 order by at`,
    [id, table, column],
  );
  return rows;
}

describe.each(['stripe', 'razorpay'] as const)('the audit log of a subscription by %s', (provider) => {
  const person = ({ person: { id } }: { person: { id: string } }) => ({
    ...{ type: 'user', id, ip: '127.0.0.1', agent: 'a browser' },
    request: expect.stringMatching(/^req_/),
  });

  it('names who started the checkout, and the system for what the provider said', async () => {
    const account = await subscribed(provider);
    const [started] = await namedFor(account, 'provider_subscriptions', 'provider');
    expect(started).toMatchObject({
      ...{ type: 'user', id: account.person.id, after: provider },
      request: expect.stringMatching(/^req_/),
    });
    expect((await namedFor(account, 'subscriptions', 'plan')).at(-1)).toMatchObject({
      ...{ type: 'system', after: 'starter' },
    });
  });

  it('names who changed the plan, at once or for the next period', async () => {
    const account = await subscribed(provider);
    await asked(account.call('POST', '/v1/billing/change-plan', { plan: 'growth' }, AGENT));
    for (const table of ['provider_subscriptions', 'subscriptions']) {
      const last = (await namedFor(account, table, 'plan')).at(-1);
      expect(last).toMatchObject({ ...person(account), after: 'growth' });
    }
    await asked(account.call('POST', '/v1/billing/change-plan', { plan: 'starter' }, AGENT));
    const next = await namedFor(account, 'provider_subscriptions', 'scheduled_plan');
    expect(next.at(-1)).toMatchObject({ ...person(account), after: 'starter' });
  });

  it('names who ended it at once', async () => {
    const account = await subscribed(provider);
    await asked(account.call('POST', '/v1/billing/cancel', { at: 'now' }, AGENT));
    const last = (await namedFor(account, 'subscriptions', 'status')).at(-1);
    expect(last).toMatchObject({ ...person(account), after: 'trialing' });
  });

  it('names who asked, even where a webhook is faster', async () => {
    const account = await subscribed(provider);
    const known = billing.providers.find(provider);
    if (known === undefined) throw new Error('no provider');
    const changed: PaymentProvider = {
      ...known,
      async changePrice(...to) {
        await known.changePrice(...to);
        await refreshSubscription(billing.parts, known, to[0]);
      },
    };
    const service = createBillingService({ ...billing.parts, providers: createProviders([changed]) });
    const caller = { ip: '192.0.2.7', userAgent: 'a browser', requestId: 'req_1', log: silentLog };
    const ctx = { ...principal({ accountId: account.id, actor: account.person }), ...caller };
    await service.changePlan(ctx, { plan: 'growth', interval: 'month' });
    expect((await namedFor(account, 'subscriptions', 'plan')).at(-1)).toMatchObject({
      ...person(account),
      ...{ ip: '192.0.2.7', after: 'growth' },
    });
  });

  it('names the system for what happens at the provider, before and after', async () => {
    const account = await subscribed(provider);
    await asked(account.call('POST', '/v1/billing/change-plan', { plan: 'growth' }, AGENT));
    const at = `${billing.sandbox.url}/subscriptions/${provider}/${await account.providerId()}`;
    await billing.press(at, 'cancel');
    await eventually(account.subscription, ({ status }) => status === 'trialing');
    const last = (await namedFor(account, 'subscriptions', 'status')).at(-1);
    expect(last).toMatchObject({ type: 'system', id: null, after: 'trialing' });
  });
});

describe('the audit log of a cancellation', () => {
  it('names who took it back', async () => {
    const account = await subscribed('stripe');
    await asked(account.call('POST', '/v1/billing/cancel', {}, AGENT));
    await asked(account.call('POST', '/v1/billing/resume', undefined, AGENT));
    const last = (await namedFor(account, 'subscriptions', 'status')).at(-1);
    expect(last).toMatchObject({ type: 'user', agent: 'a browser', after: 'active' });
  });
});
