import {
  type Answer,
  type Call,
  fieldsOf,
  type SandboxContext,
  type SandboxRoute,
  textOf,
} from '../sandbox-context.ts';
import { found, list, ok, refuse } from './stripe-answers.ts';
import { changePrice } from './stripe-changes.ts';
import type { StripePrice, StripeSession, StripeSubscription } from './stripe-entities.ts';
import { emit } from './stripe-events.ts';
import { listOf } from './stripe-form.ts';
import { invoicesOf } from './stripe-invoices.ts';
import { end } from './stripe-life.ts';
import { expirePending } from './stripe-pending.ts';
import { returnRoutes } from './stripe-returns-api.ts';
import { scheduleRoutes } from './stripe-schedules.ts';

/** A checkout is open for a day. */
const OPEN_FOR_S = 86_400;

/** The calls of Stripe's API that our program makes, in its shapes. Source: https://docs.stripe.com/api */
export const stripeRoutes: readonly SandboxRoute[] = [
  { method: 'GET', path: '/v1/prices', handle: listPrices },
  { method: 'POST', path: '/v1/prices', handle: createPrice },
  { method: 'POST', path: '/v1/checkout/sessions', handle: createSession },
  {
    method: 'GET',
    path: '/v1/checkout/sessions/:id',
    handle: ({ state }, { params }) => ok(found(state.stripe.sessions, params['id'], 'checkout.session')),
  },
  { method: 'GET', path: '/v1/subscriptions', handle: listSubscriptions },
  {
    method: 'GET',
    path: '/v1/subscriptions/:id',
    handle: (context, { params, query }) => ok(expanded(context, subscriptionOf(context, params), query)),
  },
  { method: 'POST', path: '/v1/subscriptions/:id', handle: updateSubscription },
  { method: 'DELETE', path: '/v1/subscriptions/:id', handle: cancelSubscription },
  {
    method: 'GET',
    path: '/v1/invoices',
    handle: (context, { query }) =>
      list('/v1/invoices', invoicesOf(context, query.get('subscription') ?? '')),
  },
  {
    method: 'GET',
    path: '/v1/invoices/:id',
    handle: ({ state }, { params }) => ok(found(state.stripe.invoices, params['id'], 'invoice')),
  },
  {
    method: 'GET',
    path: '/v1/events',
    handle: ({ state }) => list('/v1/events', state.stripe.events.toReversed()),
  },
  { method: 'POST', path: '/v1/billing_portal/sessions', handle: createPortal },
  ...scheduleRoutes,
  ...returnRoutes,
];

function required(body: Record<string, unknown>, name: string): string {
  const value = textOf(body[name]);
  if (value === '') throw refuse(name, `Missing required param: ${name}.`, 'parameter_missing');
  return value;
}

function texts(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([name, text]) => [name, textOf(text)]));
}

function listPrices({ state }: SandboxContext, { query }: Call): Answer {
  const keys = [...query].flatMap(([name, value]) => (name.startsWith('lookup_keys') ? [value] : []));
  const prices = Object.values(state.stripe.prices);
  return list(
    '/v1/prices',
    keys.length === 0 ? prices : prices.filter((one) => keys.includes(one.lookup_key ?? '')),
  );
}

function createPrice({ state, newId, now, changed }: SandboxContext, { body }: Call): Answer {
  const interval = textOf(fieldsOf(body['recurring'])['interval']);
  if (interval !== 'month' && interval !== 'year') throw refuse('recurring[interval]', 'Invalid interval.');
  const price: StripePrice = {
    id: newId('price_'),
    object: 'price',
    currency: required(body, 'currency'),
    unit_amount: Number(required(body, 'unit_amount')),
    lookup_key: textOf(body['lookup_key']) || null,
    recurring: { interval, interval_count: 1 },
    product: newId('prod_'),
    created: now(),
    nickname: textOf(fieldsOf(body['product_data'])['name']),
    metadata: texts(body['metadata']),
  };
  state.stripe.prices[price.id] = price;
  changed();
  return ok(price);
}

function createSession({ state, newId, now, url, changed }: SandboxContext, { body }: Call): Answer {
  const price = textOf(fieldsOf(listOf(body['line_items'])[0])['price']);
  found(state.stripe.prices, price, 'price');
  const id = newId('cs_test_');
  const session: StripeSession = {
    id,
    object: 'checkout.session',
    mode: 'subscription',
    status: 'open',
    payment_status: 'unpaid',
    url: `${url}/pay/stripe/${id}`,
    success_url: required(body, 'success_url'),
    price,
    cancel_url: textOf(body['cancel_url']),
    client_reference_id: textOf(body['client_reference_id']) || null,
    customer: textOf(body['customer']) || null,
    customer_email: textOf(body['customer_email']) || null,
    subscription: null,
    metadata: texts(body['metadata']),
    created: now(),
    expires_at: now() + OPEN_FOR_S,
    subscription_metadata: texts(fieldsOf(body['subscription_data'])['metadata']),
  };
  state.stripe.sessions[id] = session;
  changed();
  return ok(session);
}

function listSubscriptions({ state }: SandboxContext, { query }: Call): Answer {
  const since = Number(query.get('created[gte]') ?? 0);
  const all = Object.values(state.stripe.subscriptions).filter(({ created }) => created >= since);
  return list('/v1/subscriptions', all.toReversed());
}

function subscriptionOf(context: SandboxContext, params: Record<string, string>): StripeSubscription {
  const subscription = found(context.state.stripe.subscriptions, params['id'], 'subscription');
  expirePending(context, subscription);
  return subscription;
}

function expanded(
  { state }: SandboxContext,
  subscription: StripeSubscription,
  query: URLSearchParams,
): object {
  const wanted = [...query].some(([name, value]) => name.startsWith('expand') && value === 'schedule');
  return wanted
    ? { ...subscription, schedule: state.stripe.schedules[subscription.schedule ?? ''] ?? null }
    : subscription;
}

function updateSubscription(context: SandboxContext, { params, body }: Call): Answer {
  const subscription = subscriptionOf(context, params);
  if (subscription.status === 'canceled') {
    throw refuse('id', 'A canceled subscription can only update its cancellation_details and metadata.');
  }
  refuseUnsupported(body);
  const price = textOf(fieldsOf(listOf(body['items'])[0])['price']);
  if (price !== '') changePrice(context, subscription, price, textOf(body['payment_behavior']));
  const ends = body['cancel_at_period_end'];
  // A pending update keeps what else was asked for.
  if (ends !== undefined && !subscription.pending_update) {
    const [item] = subscription.items.data;
    subscription.cancel_at_period_end = ends === 'true';
    subscription.cancel_at = subscription.cancel_at_period_end ? item.current_period_end : null;
    subscription.canceled_at = subscription.cancel_at_period_end ? context.now() : null;
  }
  emit(context, 'customer.subscription.updated', subscription);
  context.changed();
  return ok(subscription);
}

/** Of the attributes that a pending update may have, those that this program sends. */
const PENDING_MAY = ['items', 'payment_behavior', 'proration_behavior', 'cancel_at_period_end', 'expand'];

function refuseUnsupported(body: Record<string, unknown>): void {
  if (body['payment_behavior'] !== 'pending_if_incomplete') return;
  const other = Object.keys(body).find((name) => !PENDING_MAY.includes(name));
  if (other === undefined) return;
  const message = `When you pass 'payment_behavior' as 'pending_if_incomplete', you can only pass the following parameters: ${PENDING_MAY.join(', ')}.`;
  throw refuse(other, message, null);
}

function cancelSubscription(context: SandboxContext, { params }: Call): Answer {
  const subscription = subscriptionOf(context, params);
  if (subscription.status === 'canceled') throw found({}, subscription.id, 'subscription');
  end(context, subscription);
  context.changed();
  return ok(subscription);
}

function createPortal({ state, url }: SandboxContext, { body }: Call): Answer {
  const customer = required(body, 'customer');
  found(state.stripe.customers, customer, 'customer');
  const back = encodeURIComponent(textOf(body['return_url']));
  return ok({
    id: 'bps_1',
    object: 'billing_portal.session',
    url: `${url}/?customer=${customer}&return=${back}`,
  });
}
