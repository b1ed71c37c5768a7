import * as razorpay from '../razorpay/razorpay-life.ts';
import {
  type Answer,
  type Call,
  ProviderRefusal,
  type SandboxContext,
  type SandboxRoute,
} from '../sandbox-context.ts';
import * as stripe from '../stripe/stripe-life.ts';
import { button, escapeHtml, money, page } from './page.ts';
import { paymentsTable } from './payments.ts';

/** All subscriptions and payments, and what time, merchants and banks may do to them. */
export const overviewRoutes: readonly SandboxRoute[] = [
  { method: 'GET', path: '/', handle: show },
  { method: 'GET', path: '/healthz', handle: () => ({ status: 200, body: { status: 'ok' } }) },
  { method: 'POST', path: '/subscriptions/stripe/:id', handle: actOnStripe },
  { method: 'POST', path: '/subscriptions/razorpay/:id', handle: actOnRazorpay },
  { method: 'GET', path: '/invoices/:id', handle: showInvoice },
];

interface Line {
  provider: 'Stripe' | 'Razorpay';
  id: string;
  plan: string;
  status: string;
  /** Seconds. */
  end: number | null;
  remark: string;
  over: boolean;
}

const ACTIONS = [
  ['renew', 'Period ends, payment works'],
  ['fail', 'Period ends, payment fails'],
  ['halt', 'Provider stops trying'],
  ['cancel', 'End at once'],
] as const;

function show(context: SandboxContext, { query }: Call): Answer {
  const { state } = context;
  const back = query.get('return') ?? '';
  const lines = [...stripeLines(state), ...razorpayLines(state)];
  const rows = lines.map((line) => {
    const path = `/subscriptions/${line.provider.toLowerCase()}/${line.id}`;
    const buttons = line.over ? '' : ACTIONS.map(([name, label]) => button(path, name, label)).join('');
    const end = line.end === null ? '' : new Date(line.end * 1_000).toISOString().slice(0, 10);
    return `<tr><td>${line.provider}<br><span class="muted">${escapeHtml(line.id)}</span></td><td>${escapeHtml(line.plan)}</td>
<td>${escapeHtml(line.status)}<br><span class="muted">${escapeHtml(line.remark)}</span></td><td>${end}</td><td>${buttons}</td></tr>`;
  });
  const link = /^https?:\/\//.test(back)
    ? `<p><a href="${escapeHtml(back)}">Back to the merchant</a></p>`
    : '';
  const table = `<div class="scroll"><table><thead><tr><th>Subscription</th><th>Plan</th><th>Status</th><th>Period ends</th><th>Let it happen</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
  return page(
    'Payment sandbox',
    `<h1>Subscriptions at the payment sandbox</h1>${link}${rows.length === 0 ? '<p class="muted">None yet: start a checkout with <code>POST /v1/billing/checkout</code>.</p>' : table}${paymentsTable(context)}`,
  );
}

function stripeLines({ stripe: { subscriptions } }: SandboxContext['state']): Line[] {
  return Object.values(subscriptions).map(({ id, status, items, cancel_at_period_end: ends, schedule }) => {
    const [item] = items.data;
    const price = item && money(item.price.unit_amount, item.price.currency.toUpperCase());
    const remark = ends ? 'ends with the period' : schedule === null ? '' : 'changes with the period';
    const plan = `${item?.price.nickname}, ${price} a ${item?.price.recurring.interval}`;
    const end = item?.current_period_end ?? null;
    return { provider: 'Stripe', id, status, remark, over: status === 'canceled', plan, end };
  });
}

function razorpayLines({ razorpay: { subscriptions, plans, atCycleEnd } }: SandboxContext['state']): Line[] {
  return Object.values(subscriptions).map(({ id, status, plan_id: planId, current_end: end }) => {
    const item = plans[planId]?.item;
    const planned = atCycleEnd[id];
    const remark =
      planned === undefined ? '' : 'cancel' in planned ? 'ends with the cycle' : 'changes with the cycle';
    const over = ['created', 'cancelled', 'completed', 'expired'].includes(status);
    const plan = item ? `${item.name}, ${money(item.amount, item.currency)}` : planId;
    return { provider: 'Razorpay', id, status, remark, over, plan, end };
  });
}

const noSuch = () => new ProviderRefusal(404, { error: { message: 'no such subscription' } });

function actOnStripe(context: SandboxContext, { params, body }: Call): Answer {
  const subscription = context.state.stripe.subscriptions[params['id'] ?? ''];
  if (subscription === undefined) throw noSuch();
  if (subscription.status !== 'canceled') {
    if (body['action'] === 'renew') stripe.renew(context, subscription, true);
    if (body['action'] === 'fail') stripe.renew(context, subscription, false);
    if (body['action'] === 'halt') stripe.giveUp(context, subscription);
    if (body['action'] === 'cancel') stripe.end(context, subscription);
  }
  context.changed();
  return { status: 303, location: '/' };
}

function actOnRazorpay(context: SandboxContext, { params, body }: Call): Answer {
  const subscription = context.state.razorpay.subscriptions[params['id'] ?? ''];
  if (subscription === undefined) throw noSuch();
  if (subscription.status !== 'cancelled') {
    if (body['action'] === 'renew') razorpay.renew(context, subscription, true);
    if (body['action'] === 'fail') razorpay.renew(context, subscription, false);
    if (body['action'] === 'halt') razorpay.halt(context, subscription);
    if (body['action'] === 'cancel') razorpay.end(context, subscription);
  }
  context.changed();
  return { status: 303, location: '/' };
}

function showInvoice({ state }: SandboxContext, { params }: Call): Answer {
  const id = params['id'] ?? '';
  const invoice = state.stripe.invoices[id] ?? state.razorpay.invoices[id];
  if (invoice === undefined) throw new ProviderRefusal(404, { error: { message: 'no such invoice' } });
  const amount = 'total' in invoice ? invoice.total : invoice.amount;
  return page(
    'Invoice',
    `<div class="card"><h1>Invoice ${escapeHtml('number' in invoice ? invoice.number : id)}</h1>
<p class="price">${money(amount, invoice.currency.toUpperCase())}</p><p>${escapeHtml(invoice.status)}</p></div>`,
  );
}
