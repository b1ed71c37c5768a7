import {
  type Answer,
  type Call,
  fieldsOf,
  type SandboxContext,
  type SandboxRoute,
  textOf,
} from '../sandbox-context.ts';
import { CARD_DECLINED, found, list, ok, refuse } from './stripe-answers.ts';
import type { StripeCharge } from './stripe-entities.ts';
import { chargeOfPayment, invoiceOfPayment, refundCharge } from './stripe-returns.ts';

/** Payments, refunds and disputes. Source: https://docs.stripe.com/api/refunds */
export const returnRoutes: readonly SandboxRoute[] = [
  { method: 'GET', path: '/v1/payment_intents/:id', handle: showPayment },
  {
    method: 'GET',
    path: '/v1/charges/:id',
    handle: ({ state }, { params }) => {
      const charges = Object.values(state.stripe.charges).map((charge) => [charge.id, charge] as const);
      return ok(found(Object.fromEntries(charges), params['id'], 'charge'));
    },
  },
  { method: 'GET', path: '/v1/invoice_payments', handle: listInvoicePayments },
  { method: 'POST', path: '/v1/refunds', handle: createRefund },
  {
    method: 'GET',
    path: '/v1/refunds',
    handle: ({ state }, { query }) => list('/v1/refunds', asked(state.stripe.refunds, query)),
  },
  {
    method: 'GET',
    path: '/v1/refunds/:id',
    handle: ({ state }, { params }) => ok(found(state.stripe.refunds, params['id'], 'refund')),
  },
  {
    method: 'GET',
    path: '/v1/disputes',
    handle: ({ state }, { query }) => list('/v1/disputes', asked(state.stripe.disputes, query)),
  },
  {
    method: 'GET',
    path: '/v1/disputes/:id',
    handle: ({ state }, { params }) => ok(found(state.stripe.disputes, params['id'], 'dispute')),
  },
];

/** Newest first, by the filters that both lists have. */
function asked(
  of: Record<string, { payment_intent: string; charge: string; created: number }>,
  query: URLSearchParams,
): object[] {
  const [intent, charge] = [query.get('payment_intent'), query.get('charge')];
  const since = Number(query.get('created[gte]') ?? 0);
  return Object.values(of)
    .filter((one) => (intent === null || one.payment_intent === intent) && one.created >= since)
    .filter((one) => charge === null || one.charge === charge)
    .toReversed();
}

function showPayment(context: SandboxContext, { params }: Call): Answer {
  const id = params['id'] ?? '';
  const invoice = found({ [id]: invoiceOfPayment(context, id) }, id, 'payment_intent');
  const charge = chargeOfPayment(context, id);
  context.changed();
  return ok({
    id,
    object: 'payment_intent',
    amount: invoice.total,
    amount_received: charge?.amount ?? 0,
    currency: invoice.currency,
    customer: invoice.customer,
    status: charge ? 'succeeded' : 'requires_payment_method',
    // Here whatever is not paid was declined.
    last_payment_error: charge ? null : CARD_DECLINED,
    latest_charge: charge?.id ?? null,
    created: invoice.created,
  });
}

function listInvoicePayments(context: SandboxContext, { query }: Call): Answer {
  const intent = query.get('payment[payment_intent]');
  const isExpanded = [...query].some(
    ([name, value]) => name.startsWith('expand') && value === 'data.invoice',
  );
  const data = Object.values(context.state.stripe.invoices).flatMap((invoice) =>
    invoice.payments.data
      .filter(({ payment }) => intent === null || payment.payment_intent === intent)
      .map((payment) => ({ ...payment, invoice: isExpanded ? invoice : invoice.id })),
  );
  return list('/v1/invoice_payments', data.toReversed());
}

function createRefund(context: SandboxContext, { body }: Call): Answer {
  const charge = chargeToRefund(context, body);
  const amount = textOf(body['amount']);
  const refund = refundCharge(context, charge, {
    amount: amount === '' ? undefined : Number(amount),
    reason: textOf(body['reason']) || null,
    metadata: Object.fromEntries(
      Object.entries(fieldsOf(body['metadata'])).map(([name, text]) => [name, textOf(text)]),
    ),
  });
  context.changed();
  return ok(refund);
}

function chargeToRefund(context: SandboxContext, body: Record<string, unknown>): StripeCharge {
  const [intent, charge] = [textOf(body['payment_intent']), textOf(body['charge'])];
  if (intent === '' && charge === '') {
    const message =
      'One of the following params should be provided for this request: payment_intent or charge.';
    throw refuse('payment_intent', message, 'parameter_missing');
  }
  if (charge !== '') {
    const known = Object.values(context.state.stripe.charges).find(({ id }) => id === charge);
    return found({ [charge]: known }, charge, 'charge');
  }
  found({ [intent]: invoiceOfPayment(context, intent) }, intent, 'payment_intent');
  const made = chargeOfPayment(context, intent);
  if (made) return made;
  const message = `This PaymentIntent (${intent}) does not have a successful charge to refund.`;
  throw refuse('payment_intent', message, 'payment_intent_unexpected_state');
}
