import { z } from 'zod';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import { defineQueue } from '../../platform/jobs/queue-definition.ts';
import type { Lifecycle } from '../../platform/lifecycle/lifecycle.ts';
import { paymentEventQueue } from './payment-events.jobs.ts';
import { openEvents } from './payment-events.system.ts';
import type { PaymentProviders } from './providers.ts';
import { workOnPaymentEvent } from './receive-payment-event.ts';
import { reconcile } from './reconcile.ts';
import type { RefreshParts } from './refresh-subscription.ts';
import { dueAccounts, setBasePlan } from './settle.system.ts';
import { settleAccount } from './settle-account.ts';
import { writeNotices } from './write-notices.ts';

const upkeepQueue = defineQueue('billing-upkeep', z.object({ task: z.literal('upkeep') }), { attempts: 1 });
const reconcileQueue = defineQueue('billing-reconcile', z.object({ task: z.literal('reconcile') }), {
  attempts: 2,
  backoffMs: 60_000,
  lockMs: 60_000,
});

const UPKEEP_EVERY_MS = 30_000;
const RECONCILE_EVERY_MS = 3_600_000;
/** A webhook that waits for so long has lost its job. */
const LOST_JOB_S = 60;
const BATCH = 200;

export interface BillingJobsParts extends RefreshParts {
  jobs: Jobs;
  lifecycle: Lifecycle;
  providers: PaymentProviders;
  /** Page on which a plan is chosen. */
  plansUrl: string;
  /** Plan of accounts that pay nothing. */
  basePlan: 'trial' | 'unlimited';
}

/** Works on webhooks, on what time changes, and on what webhooks did not tell. */
export async function runBillingJobs(parts: BillingJobsParts): Promise<void> {
  const { jobs, lifecycle, providers, database, basePlan } = parts;
  await database.systemOnce((tx) => setBasePlan(tx, basePlan));
  const work = [
    () =>
      jobs.work(
        paymentEventQueue,
        async ({ provider, event_id: eventId }) => {
          const known = providers.find(provider);
          if (known) await workOnPaymentEvent(parts, known, eventId);
        },
        { concurrency: 4 },
      ),
    () => jobs.work(upkeepQueue, () => keepBilling(parts), { concurrency: 1 }),
    () =>
      jobs.work(
        reconcileQueue,
        async (_payload, { signal }) => {
          for (const provider of providers.all()) await reconcile(parts, provider, signal);
        },
        { concurrency: 1 },
      ),
  ];
  for (const start of work) {
    await lifecycle.open('billing', start, { close: (worker) => worker.close(2_000) });
  }
  await jobs.schedule(upkeepQueue, { everyMs: UPKEEP_EVERY_MS }, { task: 'upkeep' });
  await jobs.schedule(reconcileQueue, { everyMs: RECONCILE_EVERY_MS }, { task: 'reconcile' });
}

/** What time brings: trials and periods that end, mails, and webhooks whose job was lost. */
export async function keepBilling(parts: Omit<BillingJobsParts, 'lifecycle' | 'basePlan'>): Promise<void> {
  const { database, jobs, onFact } = parts;
  for (let settled = BATCH; settled === BATCH; ) {
    const due = await database.systemOnce((tx) => dueAccounts(tx, BATCH));
    for (const accountId of due) {
      await database.system((tx) => settleAccount(tx, accountId, parts));
      onFact(accountId);
    }
    settled = due.length;
  }
  await writeNotices(parts);
  const lost = await database.systemOnce((tx) => openEvents(tx, LOST_JOB_S, BATCH));
  await jobs.queue(paymentEventQueue).addBulk(
    lost.map(({ provider, eventId }) => ({
      payload: { provider, event_id: eventId },
      options: { coalesce: eventId },
    })),
  );
}
