import {
  type Answer,
  type Call,
  fieldsOf,
  type SandboxContext,
  type SandboxRoute,
  textOf,
} from '../sandbox-context.ts';
import { found, ok, refuse } from './stripe-answers.ts';
import type { StripeSchedule } from './stripe-entities.ts';
import { emit } from './stripe-events.ts';
import { listOf } from './stripe-form.ts';

/** Schedules, by which a change waits for the end of the period. */
export const scheduleRoutes: readonly SandboxRoute[] = [
  { method: 'POST', path: '/v1/subscription_schedules', handle: createSchedule },
  { method: 'POST', path: '/v1/subscription_schedules/:id', handle: updateSchedule },
  { method: 'POST', path: '/v1/subscription_schedules/:id/release', handle: releaseSchedule },
];

function createSchedule({ state, newId, changed }: SandboxContext, { body }: Call): Answer {
  const subscription = found(state.stripe.subscriptions, textOf(body['from_subscription']), 'subscription');
  if (subscription.schedule !== null)
    throw refuse('from_subscription', 'The subscription has a schedule already.');
  const [item] = subscription.items.data;
  const phase = { start_date: item?.current_period_start ?? 0, end_date: item?.current_period_end ?? 0 };
  const schedule: StripeSchedule = {
    id: newId('sub_sched_'),
    object: 'subscription_schedule',
    status: 'active',
    subscription: subscription.id,
    current_phase: phase,
    phases: [{ ...phase, items: [{ price: item?.price.id ?? '', quantity: 1 }] }],
  };
  state.stripe.schedules[schedule.id] = schedule;
  subscription.schedule = schedule.id;
  changed();
  return ok(schedule);
}

function updateSchedule(context: SandboxContext, { params, body }: Call): Answer {
  const { state } = context;
  const schedule = found(state.stripe.schedules, params['id'], 'subscription_schedule');
  schedule.phases = listOf(body['phases']).map((phase) => {
    const fields = fieldsOf(phase);
    const price = textOf(fieldsOf(listOf(fields['items'])[0])['price']);
    found(state.stripe.prices, price, 'price');
    const [start, end] = [Number(textOf(fields['start_date'])), Number(textOf(fields['end_date']))];
    return { start_date: start, end_date: end, items: [{ price, quantity: 1 as const }] };
  });
  const subscription = state.stripe.subscriptions[schedule.subscription ?? ''];
  if (subscription) emit(context, 'customer.subscription.updated', subscription);
  context.changed();
  return ok(schedule);
}

function releaseSchedule(context: SandboxContext, { params }: Call): Answer {
  const { state } = context;
  const schedule = found(state.stripe.schedules, params['id'], 'subscription_schedule');
  schedule.status = 'released';
  const subscription = state.stripe.subscriptions[schedule.subscription ?? ''];
  if (subscription) subscription.schedule = null;
  schedule.subscription = null;
  context.changed();
  return ok(schedule);
}
