import { describe, expect, it } from 'vitest';
import { createBatchWriter } from '../../src/lib/batch-writer.ts';

function writerOf(writeBatch: (items: readonly number[]) => Promise<readonly string[]>, maxSize = 10) {
  return createBatchWriter<number, string>({
    maxSize,
    writeBatch,
    isFaultOfItems: (error) => error instanceof RangeError,
  });
}

describe('a batch writer', () => {
  it('writes what arrives together in one batch, and gives each its own result', async () => {
    const batches: (readonly number[])[] = [];
    const writer = writerOf(async (items) => {
      batches.push(items);
      return items.map(String);
    });
    await expect(Promise.all([1, 2, 3].map((item) => writer.write(item)))).resolves.toEqual(['1', '2', '3']);
    expect(batches).toEqual([[1, 2, 3]]);
  });

  it('gathers while a batch is written, never writes two at once, and keeps the order', async () => {
    const batches: (readonly number[])[] = [];
    let running = 0;
    const writer = writerOf(async (items) => {
      expect(++running).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
      batches.push(items);
      running--;
      return items.map(String);
    }, 4);
    const first = writer.write(0);
    await new Promise(setImmediate);
    const rest = Array.from({ length: 9 }, (_, i) => writer.write(i + 1));
    await Promise.all([first, ...rest]);
    expect(batches).toEqual([[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]);
  });

  it('fails alone the item that is at fault', async () => {
    const writer = writerOf(async (items) => {
      if (items.includes(7)) throw new RangeError('7');
      return items.map(String);
    });
    const results = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => writer.write(i)));
    expect(results.flatMap((result, i) => (result.status === 'rejected' ? [i] : []))).toEqual([7]);
  });

  it('fails the whole batch once when the writing is at fault, and may be asked again', async () => {
    let writes = 0;
    const writer = writerOf(async (items) => {
      if (++writes === 1) throw new Error('away');
      return items.map(String);
    });
    const results = await Promise.allSettled([writer.write(1), writer.write(2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(writes).toBe(1);
    await expect(writer.write(1)).resolves.toBe('1');
  });

  it('flushes: waits for everything handed in before', async () => {
    const written: number[] = [];
    const writer = writerOf(async (items) => {
      await new Promise((resolve) => setTimeout(resolve, 2));
      written.push(...items);
      return items.map(String);
    }, 1);
    for (const item of [1, 2, 3]) void writer.write(item);
    await writer.flush();
    expect(written).toEqual([1, 2, 3]);
    await writer.flush();
  });
});
