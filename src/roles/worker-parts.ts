import { createAccountsService } from '../features/accounts/accounts.service.ts';
import { newUuid } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import type { WorkerConfig } from './config.ts';
import type { Core } from './core.ts';
import { runAbuseJobs } from './parts-abuse.ts';
import { runBilling } from './parts-billing.ts';
import { openFiles } from './parts-files.ts';
import type { Outbound } from './parts-outbound.ts';
import { runPrivacyJobs } from './parts-privacy.ts';
import { runRetention } from './parts-retention.ts';
import { runUsage } from './parts-usage.ts';

/** What is done for accounts in the background: counting, forgetting, billing, exporting, erasing. */
export async function runAccountJobs(core: Core, config: WorkerConfig, outbound: Outbound): Promise<void> {
  const { database, vault } = core;
  const accounts = createAccountsService({ database, vault, newUuid, clock: systemClock });
  const needs = { accounts, mail: outbound.mails };
  const { files } = await openFiles(config);
  await runUsage(core);
  await runRetention(core);
  const { settle } = await runBilling(core, config, needs);
  await runPrivacyJobs(core, { ...needs, files, settle });
  await runAbuseJobs(core, needs);
}
