import {
  type Answer,
  type Call,
  type SandboxContext,
  type SandboxRoute,
  textOf,
} from '../sandbox-context.ts';
import { collection, found, notesOf, ok } from './razorpay-answers.ts';
import type { RazorpayPayment } from './razorpay-entities.ts';
import { paymentOf, refundPayment } from './razorpay-returns.ts';

/** Payments, refunds and disputes. Source: https://razorpay.com/docs/api/refunds/ */
export const returnRoutes: readonly SandboxRoute[] = [
  { method: 'GET', path: '/v1/payments/:id', handle: (context, call) => ok(paid(context, call)) },
  { method: 'POST', path: '/v1/payments/:id/refund', handle: createRefund },
  {
    method: 'GET',
    path: '/v1/payments/:id/refunds',
    handle: (context, call) => {
      const { id } = paid(context, call);
      return collection(
        newestRefunds(context).filter(({ payment_id: of }) => of === id),
        call.query,
      );
    },
  },
  {
    method: 'GET',
    path: '/v1/payments/:id/refunds/:refund',
    handle: (context, call) => {
      const { id } = paid(context, call);
      const refund = found(context.state.razorpay.refunds, call.params['refund']);
      return ok(found({ [refund.id]: refund.payment_id === id ? refund : undefined }, refund.id));
    },
  },
  {
    method: 'GET',
    path: '/v1/refunds',
    handle: (context, { query }) => {
      const from = Number(query.get('from') ?? 0);
      return collection(
        newestRefunds(context).filter(({ created_at: at }) => at >= from),
        query,
      );
    },
  },
  {
    method: 'GET',
    path: '/v1/refunds/:id',
    handle: ({ state }, { params }) => ok(found(state.razorpay.refunds, params['id'])),
  },
  {
    method: 'GET',
    path: '/v1/disputes',
    handle: ({ state }, { query }) => collection(Object.values(state.razorpay.disputes).toReversed(), query),
  },
  {
    method: 'GET',
    path: '/v1/disputes/:id',
    handle: ({ state }, { params }) => ok(found(state.razorpay.disputes, params['id'])),
  },
  {
    method: 'GET',
    path: '/v1/invoices/:id',
    handle: ({ state }, { params }) => ok(found(state.razorpay.invoices, params['id'])),
  },
  { method: 'GET', path: '/v1/payment_links', handle: listLinks },
];

function paid(context: SandboxContext, { params }: Call): RazorpayPayment {
  const id = params['id'] ?? '';
  return found({ [id]: paymentOf(context, id) }, id);
}

function newestRefunds({ state }: SandboxContext) {
  return Object.values(state.razorpay.refunds).toReversed();
}

function createRefund(context: SandboxContext, call: Call): Answer {
  const { amount, notes, receipt } = call.body;
  const refund = refundPayment(context, paid(context, call), {
    // The library sends what it is given, which may be text.
    amount: typeof amount === 'string' ? Number(amount) : amount,
    notes: notesOf(notes),
    receipt: textOf(receipt) || null,
  });
  context.changed();
  return ok(refund);
}

/** Lists leave out which payments paid a link, though they can be asked for one's. */
function listLinks({ state }: SandboxContext, { query }: Call): Answer {
  const payment = query.get('payment_id');
  const links = Object.values(state.razorpay.links)
    .filter(({ payments }) => payment === null || payments?.some(({ payment_id: id }) => id === payment))
    .map((link) => ({ ...link, payments: [] }));
  return ok({ payment_links: links.toReversed() });
}
