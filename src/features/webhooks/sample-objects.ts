import type { Mode } from '../../lib/mode.ts';
import { exampleId } from '../../platform/http/api-fields.ts';

const DAY_MS = 86_400_000;

function daysBefore(at: Date, days: number): string {
  return new Date(at.getTime() - days * DAY_MS).toISOString();
}

/** A session that does not exist, as the API shows sessions. @param at when it was connected */
export function connectedSession(at: Date, mode: Mode): object {
  return {
    id: exampleId('session'),
    name: 'Support',
    mode,
    status: 'connected',
    status_reason: null,
    status_at: at.toISOString(),
    phone: '+919876500000',
    lid: '182731923847560',
    display_name: 'Acme',
    pacing: { interval_ms: 1_000, jitter_ms: 500, typing: true, warm_up_days: 7 },
    linked_at: daysBefore(at, 30),
    created_at: daysBefore(at, 30),
    code: null,
    detail: null,
  };
}

/** An invoice that was paid. @param daysAgo how long before `at` */
export function paidInvoice(at: Date, daysAgo: number): object {
  const paidAt = daysBefore(at, daysAgo);
  return {
    id: exampleId('invoice'),
    number: 'INV-0001',
    status: 'paid',
    amount: 4_900,
    amount_refunded: 0,
    refund_status: null,
    dispute: null,
    currency: 'USD',
    plan: 'growth',
    provider: 'stripe',
    provider_invoice_id: 'in_1',
    url: null,
    period_start: paidAt,
    period_end: daysBefore(at, daysAgo - 30),
    issued_at: paidAt,
    paid_at: paidAt,
  };
}

/** An alert. @param at when it was raised */
export function newAlert(at: Date, mode: Mode): object {
  return {
    id: exampleId('alert'),
    mode,
    kind: 'new_country',
    subject: exampleId('apiKey'),
    message:
      'A key was used from Brazil (203.0.113.7), a country in which it had never been used. If that was not you, revoke the key: it ends everywhere within two seconds. Allowed addresses (`allowed_ips`) prevent it.',
    detail: { address: '203.0.113.7', country: 'BR', known_countries: ['IN'] },
    count: 1,
    first_at: at.toISOString(),
    last_at: at.toISOString(),
    restriction: null,
  };
}

/** A webhook endpoint. @param at when it was switched off */
export function disabledEndpoint(at: Date, mode: Mode): object {
  return {
    id: exampleId('webhookEndpoint'),
    mode,
    url: 'https://example.com/webhooks/pingr',
    description: 'Orders, production',
    events: ['*'],
    sessions: null,
    headers: { authorization: '****2b9a' },
    enabled: false,
    disabled_reason: 'failing',
    disabled_at: at.toISOString(),
    failing_since: daysBefore(at, 5),
    resting_until: null,
    previous_secret_until: null,
    created_at: daysBefore(at, 30),
    updated_at: at.toISOString(),
    reason: 'failing',
  };
}
