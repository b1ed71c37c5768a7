import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../support/api-client.ts';
import { eventually } from '../../support/eventually.ts';
import { type Billing, openBilling } from './open-billing.ts';

let billing: Billing;
beforeAll(async () => {
  billing = await openBilling();
});
afterAll(() => billing.close());

async function subscribed(provider: 'stripe' | 'razorpay') {
  const account = await billing.openAccount();
  const { url } = await account.checkout({ plan: 'growth', provider });
  await billing.press(url, 'pay');
  await eventually(account.subscription, ({ status }) => status === 'active');
  const id = await account.providerId();
  const decline = () => billing.press(`${billing.sandbox.url}/subscriptions/${provider}/${id}`, 'decline');
  const change = async (plan: string) => {
    const answer = await account.call('POST', '/v1/billing/change-plan', { plan });
    return answer.json<Json>();
  };
  const invoices = async (): Promise<Json[]> =>
    (await account.call('GET', '/v1/billing/invoices')).json<{ data: Json[] }>().data;
  return { ...account, decline, change, invoices };
}

describe('a larger plan whose payment is declined', () => {
  it.each(['stripe', 'razorpay'] as const)('is not given: 402 says what to do (%s)', async (provider) => {
    const account = await subscribed(provider);
    await account.decline();
    const refused = await account.change('scale');
    expect(refused).toMatchObject({
      ...{ status: 402, code: 'billing.payment_declined' },
      detail: expect.stringMatching(/declined.*POST \/v1\/billing\/portal.*ask again/),
    });
    await billing.sandbox.idle();
    await expect(account.subscription()).resolves.toMatchObject({ plan: 'growth', status: 'active' });
    // The card works again.
    expect(await account.change('scale')).toMatchObject({ plan: 'scale', status: 'active' });
  });

  it('is given by Stripe once the open invoice is paid', async () => {
    const account = await subscribed('stripe');
    await account.decline();
    expect((await account.change('scale'))['detail']).toMatch(/pay the open invoice .* before 20\d\d-/);
    const [open] = await eventually(account.invoices, (all) => all[0]?.['status'] === 'open');
    expect(open?.['amount']).toBeGreaterThan(14_900);
    await billing.press(String(open?.['url']), 'pay');
    await expect(eventually(account.subscription, ({ plan }) => plan === 'scale')).resolves.toMatchObject({
      status: 'active',
    });
    await eventually(account.invoices, (all) => all.every(({ status }) => status === 'paid'));
  });

  it('leaves the plan that waits for the next period', async () => {
    const account = await subscribed('stripe');
    expect(await account.change('starter')).toMatchObject({ plan: 'growth', scheduled_plan: 'starter' });
    await account.decline();
    expect(await account.change('scale')).toMatchObject({ status: 402, code: 'billing.payment_declined' });
    await billing.sandbox.idle();
    await expect(
      eventually(account.subscription, ({ scheduled_plan: next }) => next === 'starter'),
    ).resolves.toMatchObject({ plan: 'growth', status: 'active' });
  });
});
