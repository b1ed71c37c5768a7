import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { PaymentProvider } from '../../../src/features/billing/payment-provider.ts';
import { reconcile } from '../../../src/features/billing/reconcile.ts';
import { refreshDispute } from '../../../src/features/billing/refresh-dispute.ts';
import { refreshRefunds } from '../../../src/features/billing/refresh-refunds.ts';
import type { Json } from '../../support/api-client.ts';
import { eventually, untilItWorks } from '../../support/eventually.ts';
import { type Billing, openBilling } from './open-billing.ts';

let billing: Billing;
beforeAll(async () => {
  // As bad as the providers' documents allow: half of all webhooks come twice, and in any order.
  billing = await openBilling({ chaos: { repeats: 0.5, random: Math.random } });
});
afterAll(() => billing.close());

const SOLD = {
  stripe: { body: { provider: 'stripe' }, amount: 4_900, full: '$49.00', half: '$24.50' },
  razorpay: { body: { provider: 'razorpay' }, amount: 399_900, full: '₹3,999.00', half: '₹1,999.50' },
  'a payment link': {
    body: { provider: 'razorpay', renews: false },
    amount: 399_900,
    full: '₹3,999.00',
    half: '₹1,999.50',
  },
} as const;

function providerOf(name: 'stripe' | 'razorpay'): PaymentProvider {
  const found = billing.providers.find(name);
  if (found === undefined) throw new Error('no provider');
  return found;
}

/** No webhook arrives until the test is over. */
function deafen(): void {
  billing.sandbox.sendWebhooksTo('http://127.0.0.1:9');
  onTestFinished(() => billing.sandbox.sendWebhooksTo(billing.edge.url));
}

/** Ids of payments at the sandbox that are not known here. */
async function unknownPayments(): Promise<string[]> {
  const page = await (await fetch(billing.sandbox.url)).text();
  const ids = [...page.matchAll(/\/payments\/\w+\/(\w+)/g)].map(([, id]) => id);
  const { rows } = await billing.db.owner.query(
    'select distinct id from unnest($1::text[]) id where id not in (select provider_payment_id from invoices)',
    [ids],
  );
  return rows.map(({ id }) => id);
}

/** An account with a plan that was paid for once. */
async function payer(sold: keyof typeof SOLD = 'stripe') {
  const { body } = SOLD[sold];
  const account = await billing.openAccount();
  const { url } = await account.checkout({ plan: 'growth', ...body });
  await billing.press(url, 'pay');
  const invoices = async (): Promise<Json[]> =>
    (await account.call('GET', '/v1/billing/invoices')).json<{ data: Json[] }>().data;
  await eventually(invoices, (all) => all.length === 1);
  const { rows } = await billing.db.owner.query(
    'select provider_payment_id as id from invoices where account_id = $1',
    [account.id],
  );
  const paymentId: string = rows[0].id;
  return {
    ...account,
    paymentId,
    /** Presses a button at the payment. */
    happen: (action: string) =>
      billing.press(`${billing.sandbox.url}/payments/${body.provider}/${paymentId}`, action),
    /** Waits until the invoice is so. */
    becomes: (shown: object) =>
      untilItWorks(async () => {
        expect((await invoices())[0]).toMatchObject(shown);
      }),
    facts: async (): Promise<Json[]> =>
      (
        await billing.db.owner.query(
          `select type, data from events where account_id = $1 and type like 'invoice.%' and type <> 'invoice.paid'
           order by txid, id`,
          [account.id],
        )
      ).rows,
    mails: () =>
      billing.mails.filter(({ accountId, template }) => accountId === account.id && template !== 'receipt'),
  };
}

describe.each(['stripe', 'razorpay', 'a payment link'] as const)('a payment by %s', (sold) => {
  const { amount, full, half } = SOLD[sold];
  const part = amount / 2;

  it('that is refunded in whole says so, once, and keeps the plan', async () => {
    const account = await payer(sold);
    await account.becomes({ status: 'paid', amount_refunded: 0, refund_status: null, dispute: null });
    const before = await account.subscription();
    await account.happen('refund');
    await account.becomes({ status: 'paid', amount_refunded: amount, refund_status: 'full' });
    await billing.sandbox.idle();
    await expect(account.subscription()).resolves.toEqual(before);
    const [invoice] = (await account.call('GET', '/v1/billing/invoices')).json<{ data: Json[] }>().data;
    expect(await account.facts()).toMatchObject([
      {
        type: 'invoice.refunded',
        data: {
          id: invoice.id,
          amount,
          refund_amount: amount,
          amount_refunded: amount,
          refund_status: 'full',
        },
      },
    ]);
    expect(account.mails()).toMatchObject([
      { to: `${account.id}@example.com`, template: 'credit_receipt', values: { amount: full } },
    ]);
  });

  it('that is refunded in parts says what went back with each, and in all', async () => {
    const account = await payer(sold);
    await account.happen('refund_half');
    await account.becomes({ amount_refunded: part, refund_status: 'partial' });
    await account.happen('refund_half');
    await account.becomes({ amount_refunded: amount, refund_status: 'full' });
    await billing.sandbox.idle();
    expect((await account.facts()).map(({ data }) => [data.refund_amount, data.amount_refunded])).toEqual([
      [part, part],
      [part, amount],
    ]);
    expect(account.mails().map(({ values }) => [values.amount, values.inAll])).toEqual([
      [half, undefined],
      [half, full],
    ]);
  });

  it('whose refund fails is paid again', async () => {
    const account = await payer(sold);
    await account.happen('refund');
    await account.becomes({ refund_status: 'full' });
    await account.happen('fail_refund');
    await account.becomes({ status: 'paid', amount_refunded: 0, refund_status: null });
    expect((await account.facts()).map(({ type, data }) => [type, data.refund_amount])).toEqual([
      ['invoice.refunded', amount],
      ['invoice.refund_failed', amount],
    ]);
    expect(account.mails().map(({ template }) => template)).toEqual(['credit_receipt', 'refund_failed']);
    await account.happen('refund');
    await account.becomes({ refund_status: 'full' });
  });

  it.each([
    ['win', 'won'],
    ['lose', 'lost'],
  ])('that is disputed keeps the plan, whether they %s', async (action, status) => {
    const account = await payer(sold);
    const before = await account.subscription();
    await account.happen('dispute');
    await account.becomes({ status: 'paid', dispute: { status: 'open', amount } });
    await account.happen('review');
    await account.becomes({ dispute: { status: 'under_review' } });
    await account.happen(action);
    await account.becomes({ status: 'paid', amount_refunded: 0, dispute: { status } });
    await billing.sandbox.idle();
    await expect(account.subscription()).resolves.toEqual(before);
    expect((await account.facts()).map(({ type, data }) => [type, data.dispute.status])).toEqual([
      ['invoice.disputed', 'open'],
      ['invoice.dispute_closed', status],
    ]);
    expect(account.mails().map(({ template, values }) => [template, values.status])).toEqual([
      ['payment_disputed', 'open'],
      ['payment_disputed', status],
    ]);
  });

  it('that is refunded before anybody here knew of it is known with its refund', async () => {
    const account = await billing.openAccount();
    deafen();
    const { body } = SOLD[sold];
    const { url } = await account.checkout({ plan: 'growth', ...body });
    await billing.press(url, 'pay');
    const [paymentId = ''] = await unknownPayments();
    await billing.press(`${billing.sandbox.url}/payments/${body.provider}/${paymentId}`, 'refund');
    await refreshRefunds(billing.parts, providerOf(body.provider), paymentId);
    const invoices = await account.call('GET', '/v1/billing/invoices');
    expect(invoices.json<Json>().data).toMatchObject([
      { status: 'paid', amount_refunded: amount, refund_status: 'full' },
    ]);
    await expect(account.subscription()).resolves.toMatchObject({ status: 'active', plan: 'growth' });
    const mails = billing.mails.filter(({ accountId }) => accountId === account.id);
    expect(mails.map(({ template }) => template)).toEqual(['receipt', 'credit_receipt']);
  });

  it('whose refund no webhook told of is found by asking', async () => {
    const account = await payer(sold);
    deafen();
    await account.happen('refund');
    await reconcile(billing.parts, providerOf(SOLD[sold].body.provider));
    await account.becomes({ amount_refunded: amount, refund_status: 'full' });
    // Asked for again, nothing is told again.
    await reconcile(billing.parts, providerOf(SOLD[sold].body.provider));
    expect(await account.facts()).toHaveLength(1);
    expect(account.mails()).toHaveLength(1);
  });

  it('whose dispute no webhook told of is found by asking, and followed until it is decided', async () => {
    const account = await payer(sold);
    deafen();
    const provider = providerOf(SOLD[sold].body.provider);
    await account.happen('dispute');
    await reconcile(billing.parts, provider);
    await account.becomes({ dispute: { status: 'open' } });
    await account.happen('lose');
    await billing.db.owner.query(
      `update invoices set dispute_looked_at = now() - interval '7 hours' where account_id = $1`,
      [account.id],
    );
    await reconcile(billing.parts, provider);
    await account.becomes({ dispute: { status: 'lost' } });
  });
});

describe('a dispute', () => {
  it('may follow another, and the last one is shown', async () => {
    const account = await payer('razorpay');
    await account.happen('dispute');
    await account.becomes({ dispute: { status: 'open' } });
    await account.happen('close');
    await account.becomes({ dispute: { status: 'closed' } });
    // Providers count in seconds.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await account.happen('dispute');
    await account.becomes({ dispute: { status: 'open' } });
    expect((await account.facts()).map(({ type }) => type)).toEqual([
      'invoice.disputed',
      'invoice.dispute_closed',
      'invoice.disputed',
    ]);
  });

  it('of another payment than its webhook says changes nothing', async () => {
    const account = await payer('stripe');
    const other = await payer('stripe');
    await other.happen('dispute');
    await other.becomes({ dispute: { status: 'open' } });
    const { rows } = await billing.db.owner.query(
      'select provider_dispute_id as id from invoices where account_id = $1',
      [other.id],
    );
    const mixed = { paymentId: account.paymentId, disputeId: rows[0].id };
    await expect(refreshDispute(billing.parts, providerOf('stripe'), mixed)).resolves.toEqual({
      ignored: 'the provider knows no such dispute',
    });
    await account.becomes({ dispute: null });
  });
});

describe('a refund', () => {
  it.each(['stripe', 'razorpay'] as const)('at %s of what is no plan is not ours', async (name) => {
    const result = refreshRefunds(
      billing.parts,
      providerOf(name),
      name === 'stripe' ? 'pi_other' : 'pay_other',
    );
    await expect(result).resolves.toEqual({ ignored: 'the payment is for no subscription' });
  });

  it('that was seen earlier never replaces what was seen later, however late it is written', async () => {
    const account = await payer('stripe');
    const provider = providerOf('stripe');
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let hasSeen: () => void = () => undefined;
    const seen = new Promise<void>((resolve) => {
      hasSeen = resolve;
    });
    const slow: PaymentProvider = {
      ...provider,
      async fetchPayment(id) {
        const payment = await provider.fetchPayment(id);
        hasSeen();
        await held;
        return payment;
      },
    };
    const early = refreshRefunds(billing.parts, slow, account.paymentId);
    await seen;
    await account.happen('refund');
    await account.becomes({ refund_status: 'full' });
    release();
    await early;
    await account.becomes({ amount_refunded: SOLD.stripe.amount, refund_status: 'full' });
    expect((await account.facts()).map(({ type }) => type)).toEqual(['invoice.refunded']);
  });

  it('is told once where many look at once', async () => {
    const account = await payer('razorpay');
    deafen();
    await account.happen('refund');
    const looks = Array.from({ length: 10 }, () =>
      refreshRefunds(billing.parts, providerOf('razorpay'), account.paymentId),
    );
    await Promise.all(looks);
    expect(await account.facts()).toHaveLength(1);
    expect(account.mails()).toHaveLength(1);
  });

  it('makes an event but no mail where the account left no address', async () => {
    const account = await payer('stripe');
    await billing.db.owner.query('update accounts set email = null where id = $1', [account.id]);
    await account.happen('refund');
    await account.becomes({ refund_status: 'full' });
    expect(await account.facts()).toHaveLength(1);
    expect(account.mails()).toEqual([]);
  });

  it('is reconciled where disputes cannot be listed', async () => {
    const account = await payer('stripe');
    deafen();
    await account.happen('refund');
    const provider: PaymentProvider = {
      ...providerOf('stripe'),
      listDisputesSince: () => ({
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('not allowed')) }),
      }),
    };
    await reconcile(billing.parts, provider);
    await account.becomes({ refund_status: 'full' });
  });

  it('stores nothing while the provider cannot be reached', async () => {
    const own = await openBilling();
    try {
      const account = await own.openAccount();
      const { url } = await account.checkout({ plan: 'growth', provider: 'stripe' });
      await own.press(url, 'pay');
      const paid = async () =>
        (await own.db.owner.query('select provider_payment_id as id from invoices')).rows;
      const [invoice] = await eventually(paid, (rows) => rows.length === 1);
      await own.sandbox.close();
      const stripe = own.providers.find('stripe');
      if (stripe === undefined) throw new Error('no provider');
      await expect(refreshRefunds(own.parts, stripe, invoice.id)).rejects.toMatchObject({
        code: 'billing.provider_unavailable',
      });
      await expect(stripe.fetchDispute('du_1')).rejects.toMatchObject({
        code: 'billing.provider_unavailable',
      });
      await expect(stripe.findInvoice('pi_1')).rejects.toMatchObject({
        code: 'billing.provider_unavailable',
      });
      const razorpay = own.providers.find('razorpay');
      await expect(razorpay?.fetchPayment('pay_1')).rejects.toMatchObject({
        code: 'billing.provider_unavailable',
      });
      await expect(razorpay?.fetchDispute('disp_1')).rejects.toMatchObject({
        code: 'billing.provider_unavailable',
      });
    } finally {
      await own.close();
    }
  });
});
