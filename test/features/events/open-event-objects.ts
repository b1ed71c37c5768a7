import { randomBytes } from 'node:crypto';
import { abuseRoutes } from '../../../src/features/abuse/abuse.routes.ts';
import { raiseAlert } from '../../../src/features/abuse/abuse.system.ts';
import { billingRoutes } from '../../../src/features/billing/billing.routes.ts';
import { createBillingService } from '../../../src/features/billing/billing.service.ts';
import { bookInvoice } from '../../../src/features/billing/book-invoice.ts';
import type { SeenDispute } from '../../../src/features/billing/payment-provider.ts';
import { createProviders } from '../../../src/features/billing/providers.ts';
import { tellDispute, tellRefund } from '../../../src/features/billing/return-notices.ts';
import { lockPaidInvoice, writeDispute, writeRefund } from '../../../src/features/billing/returns.system.ts';
import { settleAccount } from '../../../src/features/billing/settle-account.ts';
import { eventRoutes } from '../../../src/features/events/events.routes.ts';
import { messageRoutes } from '../../../src/features/messages/messages.routes.ts';
import { sessionProblems } from '../../../src/features/sessions/named-sessions.service.ts';
import { createSessionChanges } from '../../../src/features/sessions/session-changes.ts';
import { createSessionReports } from '../../../src/features/sessions/session-reports.service.ts';
import { sessionRoutes } from '../../../src/features/sessions/sessions.routes.ts';
import { createSessionsService } from '../../../src/features/sessions/sessions.service.ts';
import type { Hold, StatusReport } from '../../../src/features/sessions/sessions.system.ts';
import { deliveryRoutes } from '../../../src/features/webhooks/deliveries.routes.ts';
import { webhookRoutes } from '../../../src/features/webhooks/webhooks.routes.ts';
import { createWebhooksService } from '../../../src/features/webhooks/webhooks.service.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { createNotices } from '../../../src/platform/db/notices.ts';
import type { SystemTx } from '../../../src/platform/db/scope.ts';
import { EVENT_DATA } from '../../../src/roles/event-subjects.ts';
import { openEdge, principal } from '../../platform/http/open-edge.ts';
import type { Json } from '../../support/api-client.ts';
import { seedAccount, seedSession } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';
import { openDeliveries } from '../webhooks/open-deliveries.ts';
import { openParts } from './open-events.ts';

export type EventObjects = Awaited<ReturnType<typeof openEventObjects>>;

/** Everything that events are about, over the API and by webhook, in both modes. Keys are `<account>/<mode>`. */
export async function openEventObjects() {
  const app = await openDeliveries();
  const { database, vault, url } = app.db;
  const events = await openParts(app.db);
  const notices = createNotices({ url, clock: systemClock, log: silentLog });
  const shared = { database, vault, newUuid, randomBytes, clock: systemClock, log: silentLog };
  const onFact = app.notifier.notify;
  const waker = { wake: () => undefined };
  const mail = { sendToOwners: async () => undefined, wake: () => undefined };
  const billing = { ...shared, onFact, mail, providers: createProviders([]), returnUrl: 'https://x.test' };
  const changes = await createSessionChanges(notices);
  const webhooks = createWebhooksService({
    ...shared,
    outbound: app.http,
    policyFor: () => ({ https: 'optional', loopback: true }),
    events: events.events,
    sessionProblems,
    wake: () => undefined,
  });
  const edge = await openEdge({
    database,
    vault,
    authenticate: async (credential) => {
      const [accountId = '', mode] = credential.split('/');
      return principal({ accountId, mode: mode === 'live' ? 'live' : 'test' });
    },
    routes: [
      ...eventRoutes(events.events, EVENT_DATA),
      ...sessionRoutes(createSessionsService({ ...shared, changes, waker })),
      ...messageRoutes(events.messages),
      ...abuseRoutes(database),
      ...billingRoutes(createBillingService(billing)),
      ...webhookRoutes(webhooks),
      ...deliveryRoutes(webhooks, systemClock),
    ],
  });
  await app.openPool();
  await app.openPool({ parts: { mode: 'live' } });
  const reports = createSessionReports({ database, newUuid, onFact });

  async function call(key: string, method: string, path: string, body?: object): Promise<Json> {
    const answer = await edge.call(method, path, body, { 'x-api-key': key });
    if (answer.status >= 300) throw new Error(answer.text);
    return answer.status === 204 ? undefined : answer.json<Json>();
  }

  /** Does something across accounts of which an account is told. */
  async function happen(accountId: string, work: (tx: SystemTx) => Promise<unknown>): Promise<void> {
    await database.system(work);
    onFact(accountId);
  }

  const paidInvoice = async (tx: SystemTx, paymentId: string) => {
    const invoice = await lockPaidInvoice(tx, { provider: 'stripe', paymentId });
    if (invoice === undefined) throw new Error('no such invoice');
    return invoice;
  };

  return {
    ...{ app, edge, db: app.db, call, reports },
    account: () => seedAccount(app.db),
    /** A session and a worker's hold on it. */
    async session(accountId: string) {
      const sessionId = await seedSession(app.db, accountId, { status: 'connecting' });
      await app.db.owner.query('update session_leases set epoch = 5 where session_id = $1', [sessionId]);
      const hold: Hold = { sessionId, accountId, mode: 'test', epoch: 5 };
      return { hold, report: (report: StatusReport) => reports.status(hold, report) };
    },
    pay: (accountId: string, paymentId: string) =>
      happen(accountId, (tx) => {
        const at = new Date('2026-11-01T09:00:00Z');
        const times = { periodStart: at, periodEnd: null, issuedAt: at, paidAt: at };
        const money = { amount: 4_900, currency: 'USD', paymentId, url: 'https://pay.test/in_1' };
        const owner = { accountId, provider: 'stripe', subscriptionId: 'sub_1', plan: 'growth' } as const;
        const invoice = {
          id: `in_${paymentId}`,
          number: 'INV-1',
          status: 'paid',
          ...money,
          ...times,
        } as const;
        return bookInvoice(tx, billing, { owner, invoice });
      }),
    refund: (accountId: string, paymentId: string, amountRefunded: number) =>
      happen(accountId, async (tx) => {
        const invoice = await paidInvoice(tx, paymentId);
        const status = amountRefunded === 0 ? null : 'partial';
        await writeRefund(tx, invoice.id, { ticket: invoice.refund_ticket + 1, amountRefunded, status });
        const refundAmount = Math.abs(amountRefunded - invoice.amount_refunded);
        const type = amountRefunded > 0 ? 'invoice.refunded' : 'invoice.refund_failed';
        await tellRefund(tx, billing, { invoice, news: { type, refundAmount }, amountRefunded, status });
      }),
    dispute: (accountId: string, paymentId: string, status: SeenDispute['status']) =>
      happen(accountId, async (tx) => {
        const invoice = await paidInvoice(tx, paymentId);
        const openedAt = new Date('2026-11-02T09:00:00Z');
        const dispute = { id: 'dp_1', paymentId, status, amount: 4_900, reason: 'fraudulent', openedAt };
        await writeDispute(tx, invoice.id, { ...dispute, ticket: invoice.dispute_ticket + 1 });
        const type = status === 'open' ? 'invoice.disputed' : 'invoice.dispute_closed';
        await tellDispute(tx, billing, { invoice, type, dispute });
      }),
    alert: (accountId: string) =>
      happen(accountId, (tx) => {
        const detail = { address: '203.0.113.7', country: 'BR', known_countries: ['IN'] };
        const suspicion = {
          kind: 'failing_keys',
          accountId,
          mode: 'test',
          subject: newUuid(),
          detail,
        } as const;
        return raiseAlert(tx, suspicion, { id: newUuid(), eventId: newUuid() });
      }),
    /** Puts the account on a plan that nothing pays for, which is then found out. */
    unsettle: (accountId: string) =>
      happen(accountId, async (tx) => {
        await tx.query(`update subscriptions set plan = 'growth', status = 'active' where account_id = $1`, [
          accountId,
        ]);
        return settleAccount(tx, accountId, shared);
      }),
    async close() {
      await edge.close();
      await events.close();
      await notices.close();
      await app.close();
    },
  };
}
