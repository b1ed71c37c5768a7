/** Takes single items and writes them in batches, one batch after the other. */
export interface BatchWriter<Item, Result> {
  /** Resolves with the item's result once its batch is written; rejects when it could not be. */
  write(item: Item): Promise<Result>;
  /** Resolves when everything handed in so far is written or failed. */
  flush(): Promise<void>;
}

export interface BatchWriterOptions<Item, Result> {
  maxSize: number;
  /** How long an idle writer waits for company before it writes, in milliseconds; default 0, one turn of the event loop. */
  gatherMs?: number;
  /** Writes all or nothing; results in the order of the items. */
  writeBatch: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** True where the items are at fault and the writing is not: the batch is then written in halves. */
  isFaultOfItems: (error: unknown) => boolean;
}

interface Waiting<Item, Result> {
  item: Item;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Items are gathered while the batch before them is being written, so an idle process writes (almost) at once and a
 * busy one in large batches. One item that cannot be written fails alone.
 */
export function createBatchWriter<Item, Result>(
  options: BatchWriterOptions<Item, Result>,
): BatchWriter<Item, Result> {
  const { maxSize, gatherMs = 0, writeBatch, isFaultOfItems } = options;
  let waiting: Waiting<Item, Result>[] = [];
  let running: Promise<void> | undefined;

  async function drain(): Promise<void> {
    // So that what arrives together is written together.
    await new Promise((resolve) => (gatherMs > 0 ? setTimeout(resolve, gatherMs) : setImmediate(resolve)));
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxSize);
      waiting = waiting.slice(maxSize);
      await settle(batch);
    }
    running = undefined;
  }

  async function settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await writeBatch(batch.map(({ item }) => item));
      for (const [i, { resolve, reject }] of batch.entries()) {
        const result = results[i];
        if (result === undefined) reject(new Error('the batch has no result for this item'));
        else resolve(result);
      }
    } catch (error) {
      if (batch.length === 1 || !isFaultOfItems(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
      const half = Math.ceil(batch.length / 2);
      await settle(batch.slice(0, half));
      await settle(batch.slice(half));
    }
  }

  return {
    write: (item) =>
      new Promise((resolve, reject) => {
        waiting.push({ item, resolve, reject });
        running ??= drain();
      }),
    flush: async () => {
      await running;
    },
  };
}
