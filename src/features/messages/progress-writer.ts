import { type BatchWriter, createBatchWriter } from '../../lib/batch-writer.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import { isUnavailable } from '../../platform/db/db.errors.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import { holdKey, type Outcome, type ReceiptNews, writeOutcomes, writeReceipts } from './progress.system.ts';

export type Progress = ({ kind: 'outcome' } & Outcome) | ({ kind: 'receipt' } & ReceiptNews);

/** Writes what happens to outbound messages, batched over all sessions of the process. */
export interface ProgressWriter {
  /**
   * Resolves once committed. Rejects when the database did not take it, and for a receipt also when the lease has
   * moved on; the caller still has the news then.
   */
  write(news: Progress): Promise<void>;
  /** Resolves when everything handed in so far is committed or failed. */
  flush(): Promise<void>;
}

const BATCH = 200;
/** WhatsApp's ack and the phone's receipt come a few milliseconds apart: one transaction instead of two. */
const GATHER_MS = 5;

interface ProgressParts {
  database: Database;
  newUuid: NewUuid;
  onFact: (accountId: string) => void;
}

/**
 * Within a batch outcomes go before receipts, and receipts in the order of their rank, because one statement can move
 * a message only once.
 */
export function createProgressWriter(parts: ProgressParts): ProgressWriter {
  const writer: BatchWriter<Progress, boolean> = createBatchWriter({
    maxSize: BATCH,
    gatherMs: GATHER_MS,
    writeBatch: (batch) => writeBatch(parts, batch),
    isFaultOfItems: (error) => !isUnavailable(error),
  });
  return {
    async write(news) {
      if (!(await writer.write(news))) throw new Error('the session is held by another worker');
    },
    flush: () => writer.flush(),
  };
}

async function writeBatch(
  { database, newUuid, onFact }: ProgressParts,
  batch: readonly Progress[],
): Promise<boolean[]> {
  const statements = statementsOf(batch, newUuid);
  const [only] = statements;
  const written =
    only !== undefined && statements.length === 1
      ? [await database.systemOnce(only)]
      : // They leave together, and Postgres runs them in this order.
        await database.system((tx) => Promise.all(statements.map((statement) => statement(tx))));
  for (const account of new Set(written.flatMap(({ accounts }) => accounts))) onFact(account);
  const held = new Set(written.flatMap((part) => [...part.held]));
  return batch.map((news) => news.kind === 'outcome' || held.has(holdKey(news)));
}

interface Written {
  /** Accounts that have new facts. */
  accounts: string[];
  /** Holds, by `holdKey`, that were still their session's. */
  held: Set<string>;
}

type Statement = (tx: SystemTx) => Promise<Written>;

function statementsOf(batch: readonly Progress[], newUuid: NewUuid): Statement[] {
  const outcomes = new Map<string, Outcome>();
  const receipts = new Map<ReceiptNews['status'], Map<string, ReceiptNews>>([
    ['delivered', new Map()],
    ['read', new Map()],
    ['played', new Map()],
  ]);
  for (const news of batch) {
    if (news.kind === 'outcome') {
      const key = `${news.id}/${news.epoch}`;
      outcomes.set(key, weightier(outcomes.get(key), news));
    } else receipts.get(news.status)?.set(`${holdKey(news)}/${news.wireId}`, news);
  }
  const statements: Statement[] = [];
  if (outcomes.size > 0) {
    statements.push(async (tx) => ({
      accounts: await writeOutcomes(tx, [...outcomes.values()], newUuid),
      held: new Set(),
    }));
  }
  for (const [status, news] of receipts) {
    if (news.size > 0) statements.push((tx) => writeReceipts(tx, status, [...news.values()], newUuid));
  }
  return statements;
}

const WEIGHT: Record<Outcome['status'], number> = { sending: 0, queued: 1, sent: 2, failed: 3 };

/** Of two outcomes of one message the one that would stand if both were written, whichever came first. */
function weightier(known: Outcome | undefined, news: Outcome): Outcome {
  return known !== undefined && WEIGHT[known.status] > WEIGHT[news.status] ? known : news;
}
