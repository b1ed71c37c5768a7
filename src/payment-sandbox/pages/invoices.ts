import {
  type Answer,
  type Call,
  ProviderRefusal,
  type SandboxContext,
  type SandboxRoute,
} from '../sandbox-context.ts';
import { settle } from '../stripe/stripe-life.ts';
import { button, escapeHtml, money, page } from './page.ts';

/** Invoices as both providers host them; what is open at Stripe can be paid there. */
export const invoiceRoutes: readonly SandboxRoute[] = [
  { method: 'GET', path: '/invoices/:id', handle: show },
  { method: 'POST', path: '/invoices/:id', handle: pay },
];

function show({ state }: SandboxContext, { params }: Call): Answer {
  const id = params['id'] ?? '';
  const invoice = state.stripe.invoices[id] ?? state.razorpay.invoices[id];
  if (invoice === undefined) throw noSuch();
  const amount = 'total' in invoice ? invoice.total : invoice.amount;
  return page(
    'Invoice',
    `<div class="card"><h1>Invoice ${escapeHtml('number' in invoice ? invoice.number : id)}</h1>
<p class="price">${money(amount, invoice.currency.toUpperCase())}</p><p>${escapeHtml(invoice.status)}</p>
${invoice.status === 'open' ? button(`/invoices/${id}`, 'pay', 'Pay', true) : ''}</div>`,
  );
}

/** Pays it, with whatever else is open of its subscription. */
function pay(context: SandboxContext, call: Call): Answer {
  const { invoices, subscriptions } = context.state.stripe;
  const invoice = invoices[call.params['id'] ?? ''];
  if (invoice === undefined) throw noSuch();
  const subscription = subscriptions[invoice.parent.subscription_details.subscription];
  if (subscription && subscription.status !== 'canceled') settle(context, subscription);
  context.changed();
  return show(context, call);
}

const noSuch = () => new ProviderRefusal(404, { error: { message: 'no such invoice' } });
