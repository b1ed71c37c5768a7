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
  ['decline', 'Decline the next charge'],
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

function stripeLines({ stripe: { subscriptions, declineNext } }: SandboxContext['state']): Line[] {
  return Object.values(subscriptions).map(({ id, status, items, schedule, ...rest }) => {
    const [item] = items.data;
    const price = money(item.price.unit_amount, item.price.currency.toUpperCase());
    const remark = remarks({
      'ends with the period': rest.cancel_at_period_end,
      'changes with the period': schedule !== null,
      'changes when its invoice is paid': Boolean(rest.pending_update),
      [DECLINED]: declineNext[id] === true,
    });
    const plan = `${item.price.nickname}, ${price} a ${item.price.recurring.interval}`;
    const end = item.current_period_end;
    return { provider: 'Stripe', id, status, remark, over: status === 'canceled', plan, end };
  });
}

function razorpayLines({ razorpay }: SandboxContext['state']): Line[] {
  const { subscriptions, plans, atCycleEnd, declineNext } = razorpay;
  return Object.values(subscriptions).map(({ id, status, plan_id: planId, current_end: end }) => {
    const item = plans[planId]?.item;
    const planned = atCycleEnd[id];
    const remark = remarks({
      'ends with the cycle': planned !== undefined && 'cancel' in planned,
      'changes with the cycle': planned !== undefined && 'planId' in planned,
      [DECLINED]: declineNext[id] === true,
    });
    const over = ['created', 'cancelled', 'completed', 'expired'].includes(status);
    const plan = item ? `${item.name}, ${money(item.amount, item.currency)}` : planId;
    return { provider: 'Razorpay', id, status, remark, over, plan, end };
  });
}

const DECLINED = 'the next charge is declined';

function remarks(all: Record<string, boolean>): string {
  return Object.keys(all)
    .filter((text) => all[text])
    .join(', ');
}

const noSuch = () => new ProviderRefusal(404, { error: { message: 'no such subscription' } });

function actOnStripe(context: SandboxContext, { params, body }: Call): Answer {
  const subscription = context.state.stripe.subscriptions[params['id'] ?? ''];
  if (subscription === undefined) throw noSuch();
  if (subscription.status !== 'canceled') {
    if (body['action'] === 'renew') stripe.renew(context, subscription, true);
    if (body['action'] === 'fail') stripe.renew(context, subscription, false);
    if (body['action'] === 'decline') context.state.stripe.declineNext[subscription.id] = true;
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
    if (body['action'] === 'decline') context.state.razorpay.declineNext[subscription.id] = true;
    if (body['action'] === 'halt') razorpay.halt(context, subscription);
    if (body['action'] === 'cancel') razorpay.end(context, subscription);
  }
  context.changed();
  return { status: 303, location: '/' };
}
