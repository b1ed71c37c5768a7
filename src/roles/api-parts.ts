import { createAccountsService } from '../features/accounts/accounts.service.ts';
import { newUuid } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import type { AdmissionOptions } from '../platform/http/admission.ts';
import type { AppOptions } from '../platform/http/app.ts';
import type { Route } from '../platform/http/route.ts';
import type { RateLimitStore } from '../platform/rate-limit/stores.ts';
import type { ApiConfig } from './config.ts';
import type { Core } from './core.ts';
import { type AbuseParts, openAbuseParts } from './parts-abuse.ts';
import { openBillingParts } from './parts-billing.ts';
import { openFiles } from './parts-files.ts';
import type { Outbound } from './parts-outbound.ts';
import { openPeople, type People } from './parts-people.ts';
import { openPrivacyRoutes } from './parts-privacy.ts';
import { openRetentionRoutes } from './parts-retention.ts';
import { openUsageRoutes } from './parts-usage.ts';

/** What an account is to the API: its people, plan, usage, limits, and its leaving. */
export interface AccountParts {
  routes: Route[];
  pages: NonNullable<AppOptions['pages']>;
  people: People;
  watch: AbuseParts['watch'];
  rateLimitOf: AdmissionOptions['rateLimitOf'];
}

/** Opens them; the lifecycle closes what must be closed. */
export async function openAccountParts(
  core: Core,
  config: ApiConfig,
  outbound: Outbound,
  rateLimitStore: RateLimitStore,
): Promise<AccountParts> {
  const { database, vault } = core;
  const accounts = createAccountsService({ database, vault, newUuid, clock: systemClock });
  const needs = { accounts, mail: outbound.mails };
  const storage = await openFiles(config);
  const people = await openPeople(core, config, { accounts, mails: outbound.mails, rateLimitStore });
  const billing = await openBillingParts(core, config, needs);
  const abuse = await openAbuseParts(core, config, needs);
  const privacy = openPrivacyRoutes(core, config, { ...needs, files: storage.files });
  return {
    people,
    routes: [
      ...people.routes,
      ...openUsageRoutes(core),
      ...openRetentionRoutes(core),
      ...privacy.routes,
      ...abuse.routes,
      ...billing.routes,
    ],
    pages: [...people.pages, ...storage.pages, ...privacy.pages, ...billing.pages],
    watch: abuse.watch,
    rateLimitOf: async ({ accountId, mode }) => {
      const fallback = mode === 'test' ? config.rateLimitTest : config.rateLimitLive;
      const limit = await billing.limits.requestsPerMinute({ accountId, mode }, fallback);
      return Math.ceil(limit * abuse.limits.factorOf(accountId, mode));
    },
  };
}
