import {
  type Answer,
  type Call,
  ProviderRefusal,
  type SandboxContext,
  type SandboxRoute,
} from '../sandbox-context.ts';
import type { StripeSession } from '../stripe/stripe-entities.ts';
import { paySession } from '../stripe/stripe-life.ts';
import { button, escapeHtml, money, page } from './page.ts';

/** Stripe's checkout, with the outcomes to choose from. */
export const stripePayRoutes: readonly SandboxRoute[] = [
  {
    method: 'GET',
    path: '/pay/stripe/:id',
    handle: (context, call) => show(context, sessionOf(context, call)),
  },
  { method: 'POST', path: '/pay/stripe/:id', handle: act },
];

function sessionOf({ state }: SandboxContext, { params }: Call): StripeSession {
  const session = state.stripe.sessions[params['id'] ?? ''];
  if (session === undefined) throw new ProviderRefusal(404, { error: { message: 'no such checkout' } });
  return session;
}

function show({ state }: SandboxContext, session: StripeSession, wrong?: string): Answer {
  const price = state.stripe.prices[session.price];
  if (session.status !== 'open' || price === undefined) {
    return page(
      'Paid',
      '<div class="card"><h1>This checkout is over</h1><p>It was paid or has expired.</p></div>',
    );
  }
  const action = `/pay/stripe/${session.id}`;
  return page(
    'Pay by Stripe',
    `<div class="card"><h1>Subscribe to ${escapeHtml(price.nickname)}</h1>
<p class="price">${money(price.unit_amount, price.currency.toUpperCase())} <small>a ${price.recurring.interval}</small></p>
<p class="muted">In the place of Stripe Checkout. ${session.customer_email === null ? '' : escapeHtml(session.customer_email)}</p>
${wrong === undefined ? '' : `<p class="wrong" role="alert">${escapeHtml(wrong)}</p>`}
${button(action, 'pay', 'Pay', true)}${button(action, 'fail', 'Let the card be declined')}${button(action, 'cancel', 'Cancel')}</div>`,
  );
}

function act(context: SandboxContext, call: Call): Answer {
  const session = sessionOf(context, call);
  if (call.body['action'] === 'cancel') return { status: 303, location: session.cancel_url || '/' };
  if (call.body['action'] === 'fail')
    return show(context, session, 'Your card was declined. Nothing was charged.');
  paySession(context, session);
  context.changed();
  return { status: 303, location: session.success_url.replaceAll('{CHECKOUT_SESSION_ID}', session.id) };
}
