import { ActivityLog } from '../../../src/features/usage/activity-log.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { createDatabase } from '../../../src/platform/db/database.ts';
import { createPool } from '../../../src/platform/db/pool.ts';
import { createMetrics } from '../../../src/platform/metrics/metrics.ts';
import { silentLog } from '../../support/log.ts';
import { requestOf } from './usage-fixture.ts';

// Logs a request each millisecond or so until it is killed, and writes how many so far and when to its output.

const [url = '', accountId = ''] = process.argv.slice(2);
const pool = createPool({ url, max: 2, name: 'record-forever', scope: 'system', log: silentLog });
const log = new ActivityLog({
  database: createDatabase(pool, pool),
  newUuid,
  log: silentLog,
  metrics: createMetrics({ process: false }),
});
let count = 0;
setInterval(() => {
  for (let i = 0; i < 5; i++) log.record(requestOf(accountId, { requestId: String(count++) }));
  process.stdout.write(`${count} ${Date.now()}\n`);
}, 5);
