import { fromId } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { EventSubject, StoredFact } from '../events/event-subjects.service.ts';
import type { InvoiceView } from './billing.schema.ts';
import { findInvoices } from './billing.store.ts';
import { showInvoice } from './show-billing.ts';

/** How events about invoices and quotas look. */
export function billingEvents(parts: { database: Pick<Database, 'accountOnce'> }): EventSubject[] {
  return [invoiceEvents(parts), quotaEvents];
}

function invoiceEvents({ database }: { database: Pick<Database, 'accountOnce'> }): EventSubject {
  return {
    types: [
      'invoice.paid',
      'invoice.refunded',
      'invoice.refund_failed',
      'invoice.disputed',
      'invoice.dispute_closed',
    ],
    fromFact: (fact) => asItWas(fact),
    async show(ctx, facts) {
      const ids = facts.flatMap((fact) => invoiceOf(fact) ?? []);
      const rows = await database.accountOnce(ctx, (tx) => findInvoices(tx, [...new Set(ids)]));
      const invoices = new Map(rows.map((row) => [row.id, showInvoice(row)]));
      return facts.map((fact) => asItWas(fact, invoices.get(invoiceOf(fact) ?? '')));
    },
  };
}

/** @returns the UUID of the invoice that a fact is about */
function invoiceOf({ data: { id } }: StoredFact): string | undefined {
  return typeof id === 'string' ? fromId('invoice', id) : undefined;
}

/** What no payment has when it arrives. */
const UNTOUCHED = { amount_refunded: 0, refund_status: null, dispute: null };

/** The invoice's present view under what the fact holds: amounts, and where its refunds and dispute stood. */
function asItWas({ type, data }: StoredFact, now?: InvoiceView): object {
  return { ...now, ...(now !== undefined && type === 'invoice.paid' && UNTOUCHED), ...data };
}

/** What is used of a quota is the account's own of that moment; only its times are as the database writes them. */
const quotaEvents: EventSubject = {
  types: ['quota.warning', 'quota.reached'],
  fromFact: ({ data }) => ({
    ...data,
    period_start: inUtc(data['period_start']),
    period_end: inUtc(data['period_end']),
  }),
};

function inUtc(time: unknown): string | null {
  return typeof time === 'string' ? new Date(time).toISOString() : null;
}
