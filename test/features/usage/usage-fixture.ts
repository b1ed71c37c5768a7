import { ActivityLog } from '../../../src/features/usage/activity-log.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import type { Mode } from '../../../src/lib/mode.ts';
import type { RequestRecord } from '../../../src/platform/http/request-log.ts';
import { createMetrics } from '../../../src/platform/metrics/metrics.ts';
import type { TestDatabase } from '../../support/database.ts';
import { silentLog } from '../../support/log.ts';

/** A request of an account, as the edge tells of it. */
export function requestOf(
  accountId: string,
  over: Partial<RequestRecord> & { mode?: Mode; keyId?: string; userId?: string } = {},
) {
  const { mode = 'test', keyId = newUuid(), userId, ...record } = over;
  const key = { type: 'api_key' as const, id: keyId };
  return {
    requestId: newUuid(),
    method: 'GET',
    route: '/v1/messages',
    status: 200,
    ms: 1.5,
    ip: '203.0.113.7',
    userAgent: 'test',
    code: undefined,
    principal: {
      accountId,
      mode,
      actor: userId === undefined ? key : { type: 'user' as const, id: userId, role: 'viewer' },
      scopes: new Set<string>(),
      logFields: {},
    },
    ...record,
  } satisfies RequestRecord;
}

/** The log with its metrics, on a test database or on one that fails as told. */
export function openActivityLog(db: Pick<TestDatabase, 'database'>, over: { mostWaiting?: number } = {}) {
  const metrics = createMetrics({ process: false });
  const log = new ActivityLog({
    database: db.database,
    newUuid,
    log: silentLog,
    metrics,
    ...over,
  });
  const counted = async (outcome: string) => {
    const { values } = await metrics.activity.get();
    return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
  };
  return { log, counted };
}
