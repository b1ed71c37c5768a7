import type Razorpay from 'razorpay';
import type { ListedReturn, PaymentProvider } from '../payment-provider.ts';
import { asBillingError, isMissing } from './razorpay-client.ts';
import * as shapes from './razorpay-return-shapes.ts';
import { collectionOf, invoiceOfLink, invoiceShape, linkShape } from './razorpay-shapes.ts';

type ReturnCalls = Pick<
  PaymentProvider,
  'fetchPayment' | 'fetchDispute' | 'findInvoice' | 'listRefundsSince' | 'listDisputesSince'
>;

const PAGE = 100;

/** Refunds and disputes at Razorpay. Source: https://razorpay.com/docs/api/refunds/ and …/disputes/ */
export function razorpayReturns(razorpay: Razorpay): ReturnCalls {
  return {
    fetchPayment: (id) => fetchPayment(razorpay, id).catch(asBillingError),

    async fetchDispute(id) {
      const found = await razorpay.disputes.fetch(id).catch(isMissing).catch(asBillingError);
      return found && shapes.seenDispute(shapes.disputeShape.parse(found));
    },

    findInvoice: (paymentId) => findInvoice(razorpay, paymentId).catch(asBillingError),

    async *listRefundsSince(since) {
      const from = seconds(since);
      const page = (skip: number) => razorpay.refunds.all({ from, count: PAGE, skip });
      for await (const refund of pages(page, shapes.refundShape)) {
        yield { paymentId: refund.payment_id, disputeId: null, at: refund.created_at };
      }
    },

    async *listDisputesSince(since) {
      // No parameter says since when; the newest come first.
      const page = (skip: number) => razorpay.disputes.all({ count: PAGE, skip });
      for await (const dispute of pages(page, shapes.disputeShape)) {
        if (dispute.created_at < since) return;
        yield {
          paymentId: dispute.payment_id,
          disputeId: dispute.id,
          at: dispute.created_at,
        } satisfies ListedReturn;
      }
    },
  };
}

/** Refunds that failed count for nothing, whether or not the payment's total has them still. */
async function fetchPayment(razorpay: Razorpay, id: string) {
  const found = await razorpay.payments.fetch(id).catch(isMissing);
  if (found === undefined) return undefined;
  const { amount } = shapes.paymentShape.parse(found);
  let amountRefunded = 0;
  const page = (skip: number) => razorpay.payments.fetchMultipleRefund(id, { count: PAGE, skip });
  for await (const refund of pages(page, shapes.refundShape)) {
    if (refund.status !== 'failed') amountRefunded += refund.amount;
  }
  return { amount, amountRefunded };
}

/** A subscription's payment names its invoice. That of a payment link is found by the link, which must name it. */
async function findInvoice(razorpay: Razorpay, paymentId: string) {
  const found = await razorpay.payments.fetch(paymentId).catch(isMissing);
  if (found === undefined) return undefined;
  const { invoice_id: invoiceId } = shapes.paymentShape.parse(found);
  if (!invoiceId) return findLink(razorpay, paymentId);
  const answer = await razorpay.invoices.fetch(invoiceId).catch(isMissing);
  if (answer === undefined) return undefined;
  const { subscription_id: subscriptionId } = shapes.invoiceOwnerShape.parse(answer);
  if (!subscriptionId) return undefined;
  return { subscriptionId, invoice: { ...invoiceShape.parse(answer), paymentId } };
}

async function findLink(razorpay: Razorpay, paymentId: string) {
  // The library's own call drops this parameter. Links in lists name no payments.
  const answer = await razorpay.api.get<object, unknown>({
    url: '/payment_links',
    data: { payment_id: paymentId },
  });
  const [first] = shapes.linkListShape.parse(answer).payment_links;
  if (first === undefined) return undefined;
  const link = linkShape.parse(await razorpay.paymentLink.fetch(first.id));
  const [invoice] = invoiceOfLink(link);
  return invoice?.paymentId === paymentId ? { subscriptionId: link.id, invoice } : undefined;
}

async function* pages<S extends Parameters<typeof collectionOf>[0]>(
  load: (skip: number) => Promise<unknown>,
  shape: S,
) {
  for (let skip = 0; ; skip += PAGE) {
    const { items } = collectionOf(shape).parse(await load(skip).catch(asBillingError));
    yield* items;
    if (items.length < PAGE) return;
  }
}

function seconds(time: Date): number {
  return Math.floor(time.getTime() / 1_000);
}
