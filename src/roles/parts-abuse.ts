import { inspectQueue } from '../features/abuse/abuse.jobs.ts';
import { abuseRoutes } from '../features/abuse/abuse.routes.ts';
import { KeyWatch } from '../features/abuse/key-watch.ts';
import { type AlertParts, inspectSessions, raiseAlerts } from '../features/abuse/raise-alerts.ts';
import { openTightenedLimits, type TightenedLimits } from '../features/abuse/tightened-limits.ts';
import type { AccountsService } from '../features/accounts/accounts.service.ts';
import type { MailService } from '../features/mail/mail.service.ts';
import { newUuid } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import type { Route } from '../platform/http/route.ts';
import { type CountryOf, openCountryDatabase } from '../platform/net/country-database.ts';
import { type ApiConfig, ConfigError } from './config.ts';
import type { Core } from './core.ts';

/** Whom alerts are told to. */
interface AlertNeeds {
  accounts: AccountsService;
  mail: MailService;
}

const INSPECT_EVERY_MS = 5 * 60_000;

/** What the API's edge asks and tells. */
export interface AbuseParts {
  routes: Route[];
  /** Wraps the check of keys, and is told of refused ones. */
  watch: KeyWatch;
  limits: TightenedLimits;
}

/** Watches keys and tightens limits, in the API. */
export async function openAbuseParts(core: Core, config: ApiConfig, needs: AlertNeeds): Promise<AbuseParts> {
  const { database, notices, lifecycle, log } = core;
  const clock = systemClock;
  const alerts = alertParts(core, needs);
  const countryOf = await openCountries(config);
  const watch = await lifecycle.open(
    'key watch',
    () =>
      new KeyWatch({
        database,
        countryOf,
        clock,
        log,
        raise: (suspicions) => raiseAlerts(alerts, suspicions),
      }),
    { close: (opened) => opened.close() },
  );
  const limits = await lifecycle.open(
    'tightened limits',
    () => openTightenedLimits({ database, notices, clock, log }),
    {
      close: (opened) => opened.close(),
    },
  );
  return { routes: abuseRoutes(database), watch, limits };
}

/** Looks at what sessions do, in a worker. */
export async function runAbuseJobs(core: Core, needs: AlertNeeds): Promise<void> {
  const { jobs, lifecycle } = core;
  const alerts = alertParts(core, needs);
  await lifecycle.open(
    'inspection of sessions',
    () => jobs.work(inspectQueue, () => inspectSessions(alerts), { concurrency: 1 }),
    { close: (worker) => worker.close(1_000) },
  );
  await jobs.schedule(inspectQueue, { everyMs: INSPECT_EVERY_MS }, { task: 'inspect' });
}

/** @throws ConfigError where a database of the operator's own cannot be used */
async function openCountries({ countryDatabase }: ApiConfig): Promise<CountryOf> {
  try {
    return await openCountryDatabase(countryDatabase);
  } catch (error) {
    if (countryDatabase === undefined) throw error;
    throw new ConfigError([`COUNTRY_DATABASE: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

function alertParts({ database, events, log }: Core, needs: AlertNeeds): AlertParts {
  return { database, log, newUuid, onFact: events.notify, ...needs };
}
