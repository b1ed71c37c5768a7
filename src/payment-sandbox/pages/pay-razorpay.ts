import { type Proof, payLink, paySubscription } from '../razorpay/razorpay-life.ts';
import {
  type Answer,
  type Call,
  ProviderRefusal,
  type SandboxContext,
  type SandboxRoute,
} from '../sandbox-context.ts';
import { button, escapeHtml, money, page } from './page.ts';

/** Razorpay's pages behind `short_url`, with the outcomes to choose from. */
export const razorpayPayRoutes: readonly SandboxRoute[] = [
  { method: 'GET', path: '/pay/razorpay/:id', handle: (context, call) => show(payableOf(context, call)) },
  { method: 'POST', path: '/pay/razorpay/:id', handle: act },
];

interface Payable {
  id: string;
  name: string;
  amount: number;
  currency: string;
  open: boolean;
  /** @returns where the person goes; undefined for nowhere */
  pay: () => string | undefined;
  back: string | undefined;
}

function payableOf(context: SandboxContext, { params }: Call): Payable {
  const { subscriptions, links, plans } = context.state.razorpay;
  const id = params['id'] ?? '';
  const link = links[id];
  if (link) {
    const { description: name, amount, currency, callback_url: callback } = link;
    const pay = () => withProof(callback, link.id, link.reference_id, payLink(context, link));
    return { id, name, amount, currency, open: link.status === 'created', pay, back: callback };
  }
  const subscription = subscriptions[id];
  const plan = plans[subscription?.plan_id ?? ''];
  if (subscription === undefined || plan === undefined) {
    throw new ProviderRefusal(404, { error: { description: 'no such page' } });
  }
  const { name, amount, currency } = plan.item;
  return {
    id,
    name: `${name}, ${plan.period}`,
    amount,
    currency,
    back: undefined,
    open: ['created', 'pending', 'halted'].includes(subscription.status),
    pay() {
      paySubscription(context, subscription);
      return undefined;
    },
  };
}

function withProof(callback: string, linkId: string, referenceId: string, proof: Proof): string | undefined {
  if (callback === '') return undefined;
  const url = new URL(callback);
  url.searchParams.set('razorpay_payment_id', proof.paymentId);
  url.searchParams.set('razorpay_payment_link_id', linkId);
  url.searchParams.set('razorpay_payment_link_reference_id', referenceId);
  url.searchParams.set('razorpay_payment_link_status', 'paid');
  url.searchParams.set('razorpay_signature', proof.signature);
  return url.href;
}

function show({ id, name, amount, currency, open }: Payable, wrong?: string): Answer {
  if (!open)
    return page('Paid', '<div class="card"><h1>Thank you</h1><p>This is paid, or has ended.</p></div>');
  const action = `/pay/razorpay/${id}`;
  return page(
    'Pay by Razorpay',
    `<div class="card"><h1>${escapeHtml(name)}</h1><p class="price">${money(amount, currency)}</p>
<p class="muted">In the place of Razorpay's page. ${escapeHtml(id)}</p>
${wrong === undefined ? '' : `<p class="wrong" role="alert">${escapeHtml(wrong)}</p>`}
${button(action, 'pay', 'Pay', true)}${button(action, 'fail', 'Let the payment fail')}${button(action, 'cancel', 'Cancel')}</div>`,
  );
}

function act(context: SandboxContext, call: Call): Answer {
  const payable = payableOf(context, call);
  if (call.body['action'] === 'cancel') return { status: 303, location: payable.back || '/' };
  if (call.body['action'] === 'fail')
    return show(payable, 'The bank refused the payment. Nothing was charged.');
  if (!payable.open) return show(payable);
  const location = payable.pay();
  context.changed();
  return location === undefined ? show(payableOf(context, call)) : { status: 303, location };
}
