import {
  type Answer,
  type Call,
  fieldsOf,
  type SandboxContext,
  type SandboxRoute,
  textOf,
} from '../sandbox-context.ts';
import { amountOf, collection, found, notesOf, ok, refuse } from './razorpay-answers.ts';
import { changePlan } from './razorpay-changes.ts';
import type { RazorpayLink, RazorpayPlan, RazorpaySubscription } from './razorpay-entities.ts';
import { emit, end } from './razorpay-life.ts';
import { returnRoutes } from './razorpay-returns-api.ts';

/** The calls of Razorpay's API that our program makes, in its shapes. Source: https://razorpay.com/docs/api/ */
export const razorpayRoutes: readonly SandboxRoute[] = [
  { method: 'POST', path: '/v1/plans', handle: createPlan },
  {
    method: 'GET',
    path: '/v1/plans/:id',
    handle: ({ state }, { params }) => ok(found(state.razorpay.plans, params['id'])),
  },
  { method: 'POST', path: '/v1/subscriptions', handle: createSubscription },
  {
    method: 'GET',
    path: '/v1/subscriptions',
    handle: ({ state }, { query }) => {
      const from = Number(query.get('from') ?? 0);
      return collection(
        Object.values(state.razorpay.subscriptions).filter(({ created_at: at }) => at >= from),
        query,
      );
    },
  },
  {
    method: 'GET',
    path: '/v1/subscriptions/:id',
    handle: (context, call) => ok(subscriptionOf(context, call)),
  },
  { method: 'PATCH', path: '/v1/subscriptions/:id', handle: updateSubscription },
  { method: 'POST', path: '/v1/subscriptions/:id/cancel', handle: cancelSubscription },
  { method: 'POST', path: '/v1/subscriptions/:id/resume', handle: resumeSubscription },
  { method: 'GET', path: '/v1/subscriptions/:id/retrieve_scheduled_changes', handle: scheduledChanges },
  {
    method: 'GET',
    path: '/v1/invoices',
    handle: ({ state }, { query }) => {
      const of = query.get('subscription_id');
      const all = Object.values(state.razorpay.invoices).filter((one) => one.subscription_id === of);
      return collection(all.toReversed(), query);
    },
  },
  { method: 'POST', path: '/v1/payment_links', handle: createLink },
  {
    method: 'GET',
    path: '/v1/payment_links/:id',
    handle: ({ state }, { params }) => ok(found(state.razorpay.links, params['id'])),
  },
  ...returnRoutes,
];

function createPlan({ state, newId, now, changed }: SandboxContext, { body }: Call): Answer {
  const { period, item } = body;
  if (period !== 'monthly' && period !== 'yearly') throw refuse('Not a valid period', 'period');
  const { name, amount, currency } = fieldsOf(item);
  const plan: RazorpayPlan = {
    id: newId('plan_'),
    entity: 'plan',
    period,
    interval: 1,
    created_at: now(),
    item: { id: newId('item_'), name: textOf(name), amount: amountOf(amount), currency: textOf(currency) },
    notes: notesOf(body['notes']),
  };
  state.razorpay.plans[plan.id] = plan;
  changed();
  return ok(plan);
}

function createSubscription({ state, newId, now, url, changed }: SandboxContext, { body }: Call): Answer {
  const planId = textOf(body['plan_id']);
  found(state.razorpay.plans, planId);
  const total = body['total_count'];
  if (typeof total !== 'number')
    throw refuse('The total count field is required when end at is not present.', 'total_count');
  const id = newId('sub_');
  const subscription: RazorpaySubscription = {
    id,
    entity: 'subscription',
    plan_id: planId,
    customer_id: null,
    status: 'created',
    quantity: 1,
    current_start: null,
    current_end: null,
    ended_at: null,
    charge_at: null,
    notes: notesOf(body['notes']),
    total_count: total,
    paid_count: 0,
    remaining_count: total,
    created_at: now(),
    source: 'api',
    expire_by: Number(body['expire_by'] ?? 0) || null,
    short_url: `${url}/pay/razorpay/${id}`,
    has_scheduled_changes: false,
    change_scheduled_at: null,
  };
  state.razorpay.subscriptions[id] = subscription;
  changed();
  return ok(subscription);
}

function subscriptionOf({ state, now }: SandboxContext, { params }: Call): RazorpaySubscription {
  const subscription = found(state.razorpay.subscriptions, params['id']);
  const { status, expire_by: expires } = subscription;
  // No webhook tells of this one.
  if (status === 'created' && expires !== null && expires < now()) subscription.status = 'expired';
  return subscription;
}

function updateSubscription(context: SandboxContext, call: Call): Answer {
  const { state, changed } = context;
  const subscription = subscriptionOf(context, call);
  if (subscription.status !== 'active') {
    throw refuse(`Subscription is not in active state. Current state: ${subscription.status}`);
  }
  const planId = textOf(call.body['plan_id']);
  if (call.body['schedule_change_at'] === 'cycle_end') {
    found(state.razorpay.plans, planId);
    state.razorpay.atCycleEnd[subscription.id] = { planId };
    Object.assign(subscription, {
      has_scheduled_changes: true,
      change_scheduled_at: subscription.current_end,
    });
  } else {
    changePlan(context, subscription, planId);
  }
  emit(context, 'subscription.updated', { subscription });
  changed();
  return ok(subscription);
}

function scheduledChanges(context: SandboxContext, call: Call): Answer {
  const subscription = subscriptionOf(context, call);
  const planned = context.state.razorpay.atCycleEnd[subscription.id];
  if (planned === undefined || 'cancel' in planned)
    throw refuse('No scheduled changes found for the subscription');
  return ok({ ...subscription, plan_id: planned.planId });
}

function cancelSubscription(context: SandboxContext, call: Call): Answer {
  const subscription = subscriptionOf(context, call);
  if (['cancelled', 'completed', 'expired'].includes(subscription.status)) {
    throw refuse(`Subscription is not cancellable in ${subscription.status} status.`);
  }
  const atEnd = call.body['cancel_at_cycle_end'];
  if (atEnd === true || atEnd === 1) context.state.razorpay.atCycleEnd[subscription.id] = { cancel: true };
  else end(context, subscription);
  context.changed();
  return ok(subscription);
}

function resumeSubscription(context: SandboxContext, call: Call): Answer {
  const subscription = subscriptionOf(context, call);
  if (subscription.status !== 'paused') {
    throw refuse(`Subscription cannot be resumed in ${subscription.status} state.`);
  }
  subscription.status = 'active';
  emit(context, 'subscription.resumed', { subscription });
  context.changed();
  return ok(subscription);
}

function createLink({ state, newId, now, url, changed }: SandboxContext, { body }: Call): Answer {
  const reference = textOf(body['reference_id']);
  const taken = Object.values(state.razorpay.links).find(
    (link) => reference !== '' && link.reference_id === reference,
  );
  if (taken) {
    throw refuse(`payment link with given reference_id (${reference}) already exists.`, 'reference_id');
  }
  const id = newId('plink_');
  const link: RazorpayLink = {
    id,
    entity: 'payment_link',
    status: 'created',
    amount: amountOf(body['amount']),
    amount_paid: 0,
    currency: textOf(body['currency']),
    description: textOf(body['description']),
    reference_id: reference,
    callback_url: textOf(body['callback_url']),
    short_url: `${url}/pay/razorpay/${id}`,
    payments: null,
    notes: notesOf(body['notes']),
    created_at: now(),
    updated_at: now(),
    expire_by: Number(body['expire_by'] ?? 0),
  };
  state.razorpay.links[id] = link;
  changed();
  return ok(link);
}
