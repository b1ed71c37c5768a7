import { type NewUuid, timeOfUuid } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { RequestRecord } from '../../platform/http/request-log.ts';
import type { Log } from '../../platform/log/log.ts';
import type { Metrics } from '../../platform/metrics/metrics.ts';
import { type ActivityRow, toActivityRow } from './activity.model.ts';
import { writeActivity } from './activity.system.ts';

/** Longest time that a request waits in memory while the database answers: what a crash may lose. */
export const FLUSH_EVERY_MS = 500;
const BATCH = 500;
/** Some 20 MB. While the database is away for longer, the oldest go. */
const MOST_WAITING = 20_000;

export interface ActivityLogParts {
  database: Pick<Database, 'systemOnce'>;
  newUuid: NewUuid;
  log: Log;
  metrics: Pick<Metrics, 'activity'>;
  /** Default {@link MOST_WAITING}. */
  mostWaiting?: number;
}

/** Logs requests out of their way: they are gathered in memory, a bounded number of them, and written in batches. */
export class ActivityLog {
  readonly #parts: ActivityLogParts;
  readonly #mostWaiting: number;
  #waiting: ActivityRow[] = [];
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failing = false;

  constructor(parts: ActivityLogParts) {
    this.#parts = parts;
    this.#mostWaiting = parts.mostWaiting ?? MOST_WAITING;
  }

  /** Takes a request; never waits, never throws. One that nobody is known to have made is only counted. */
  record(request: RequestRecord): void {
    const { newUuid, metrics } = this.#parts;
    const id = newUuid();
    // One time for both: rows are found by the time in their id.
    const row = toActivityRow(request, id, timeOfUuid(id));
    if (row === undefined) {
      metrics.activity.inc({ outcome: 'anonymous' });
      return;
    }
    this.#waiting.push(row);
    // In steps, so that a full log does not copy itself for every request.
    if (this.#waiting.length > this.#mostWaiting + BATCH) this.#dropOldest();
    if (this.#running !== undefined) return;
    if (this.#waiting.length >= BATCH && !this.#failing) void this.flush();
    else this.#flushLater();
  }

  /** Resolves when what was taken so far is written, or could not be. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#running ??= this.#writeAll().finally(() => {
      this.#running = undefined;
      if (this.#waiting.length > 0) this.#flushLater();
    });
    return this.#running;
  }

  /** Writes what it has and stops. */
  async close(): Promise<void> {
    await this.#running;
    await this.flush();
    clearTimeout(this.#timer);
  }

  #flushLater(): void {
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_EVERY_MS);
  }

  /** Ends with the first batch that the database does not take; it is tried again with the next flush. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      this.#waiting = this.#waiting.slice(BATCH);
      try {
        await write(this.#parts, batch);
        this.#failing = false;
      } catch (error) {
        this.#failing = true;
        this.#waiting = [...batch, ...this.#waiting];
        this.#parts.log.warn(
          { err: error, requests: this.#waiting.length },
          'activity not written, trying again',
        );
        this.#dropOldest();
        return;
      }
    }
  }

  #dropOldest(): void {
    const over = this.#waiting.length - this.#mostWaiting;
    if (over <= 0) return;
    this.#waiting = this.#waiting.slice(over);
    this.#parts.metrics.activity.inc({ outcome: 'dropped' }, over);
  }
}

/** Writes a batch; a row that Postgres refuses is left out alone. @throws what may be over at the next try */
async function write(parts: ActivityLogParts, rows: readonly ActivityRow[]): Promise<void> {
  const { database, log, metrics } = parts;
  try {
    await database.systemOnce((tx) => writeActivity(tx, rows));
    metrics.activity.inc({ outcome: 'written' }, rows.length);
  } catch (error) {
    if (!isFaultOfRow(error)) throw error;
    if (rows.length === 1) {
      log.error({ err: error }, 'a request could not be logged');
      metrics.activity.inc({ outcome: 'dropped' });
      return;
    }
    const half = Math.ceil(rows.length / 2);
    await write(parts, rows.slice(0, half));
    await write(parts, rows.slice(half));
  }
}

/** Postgres' classes of wrong data (22) and broken constraints (23). */
function isFaultOfRow(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^2[23]/.test(String(error.code));
}
