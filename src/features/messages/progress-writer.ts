import type { NewUuid } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import { type Outcome, type ReceiptNews, writeOutcomes, writeReceipts } from './progress.system.ts';

export type Progress = ({ kind: 'outcome' } & Outcome) | ({ kind: 'receipt' } & ReceiptNews);

/** Writes what happens to outbound messages, batched over all sessions of the process. */
export interface ProgressWriter {
  /** Resolves once committed. Rejects when the database did not take it; the caller still has the news then. */
  write(news: Progress): Promise<void>;
  /** Resolves when everything handed in so far is committed or failed. */
  flush(): Promise<void>;
}

const BATCH = 200;

interface Waiting {
  news: Progress;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/**
 * News is gathered while the batch before it is being written, so an idle process writes at once and a busy one in
 * large batches. Within a batch outcomes go before receipts, and receipts in the order of their rank, because one
 * statement can move a message only once.
 */
export function createProgressWriter(deps: {
  database: Database;
  newUuid: NewUuid;
  onFact: (accountId: string) => void;
}): ProgressWriter {
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  async function drain(): Promise<void> {
    // One turn of the event loop, so that what arrives together is written together.
    await new Promise(setImmediate);
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH);
      waiting = waiting.slice(BATCH);
      try {
        const accounts = await writeBatch(deps, batch.map(({ news }) => news));
        for (const account of new Set(accounts)) deps.onFact(account);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = undefined;
  }

  return {
    write: (news) =>
      new Promise((resolve, reject) => {
        waiting.push({ news, resolve, reject });
        running ??= drain();
      }),
    flush: async () => {
      await running;
    },
  };
}

async function writeBatch(
  { database, newUuid }: { database: Database; newUuid: NewUuid },
  batch: readonly Progress[],
): Promise<string[]> {
  const statements = statementsOf(batch, newUuid);
  const [only] = statements;
  if (only !== undefined && statements.length === 1) return database.systemOnce(only);
  return database.system(async (tx) => {
    const accounts: string[] = [];
    for (const statement of statements) accounts.push(...(await statement(tx)));
    return accounts;
  });
}

type Statement = (tx: SystemTx) => Promise<string[]>;

function statementsOf(batch: readonly Progress[], newUuid: NewUuid): Statement[] {
  const outcomes = new Map<string, Outcome>();
  const receipts = new Map<ReceiptNews['status'], Map<string, ReceiptNews>>([
    ['delivered', new Map()],
    ['read', new Map()],
    ['played', new Map()],
  ]);
  for (const news of batch) {
    if (news.kind === 'outcome') outcomes.set(news.id, news);
    else receipts.get(news.status)?.set(`${news.sessionId}/${news.wireId}`, news);
  }
  const statements: Statement[] = [];
  if (outcomes.size > 0) statements.push((tx) => writeOutcomes(tx, [...outcomes.values()], newUuid));
  for (const [status, news] of receipts) {
    if (news.size > 0) statements.push((tx) => writeReceipts(tx, status, [...news.values()], newUuid));
  }
  return statements;
}
