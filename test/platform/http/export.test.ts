import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { exportAnswer, exportQuery, exportReply } from '../../../src/platform/http/export.ts';
import { defineRoute } from '../../../src/platform/http/route.ts';
import { eventually } from '../../support/eventually.ts';
import { type Edge, KEY, openEdge } from './open-edge.ts';

let edge: Edge;
const read = { pages: 0, ended: false };
const columns = ['id', 'note'] as const;

/** Endless, slow, broken or tame rows, as the query says. */
async function* pagesOf(kind: string): AsyncGenerator<{ id: number; note: string | null }[]> {
  try {
    for (let page = 0; page < (kind === 'tame' ? 2 : 10_000); page++) {
      if (kind === 'broken' && page === 2) throw new Error('the database went away');
      read.pages++;
      await sleep(1);
      yield [{ id: page, note: kind === 'endless' ? 'x'.repeat(10_000) : null }];
    }
  } finally {
    read.ended = true;
  }
}

beforeAll(async () => {
  edge = await openEdge({
    routes: [
      defineRoute({
        method: 'GET',
        path: '/v1/rows/:kind',
        operationId: 'exportRows',
        summary: 'Export rows',
        tag: 'Rows',
        scope: undefined,
        params: z.object({ kind: z.string().meta({ description: 'Kind.', example: 'tame' }) }),
        query: z.strictObject(exportQuery),
        answers: { 200: exportAnswer('Rows.') },
        handler: async ({ params: { kind }, query: { format } }) => {
          read.pages = 0;
          read.ended = false;
          return exportReply({ format, name: 'rows', columns, pages: pagesOf(kind) });
        },
      }),
    ],
  });
});
afterAll(() => edge.close());

describe('an export', () => {
  it('is a table or lines of JSON', async () => {
    expect((await edge.call('GET', '/v1/rows/tame')).text).toBe('id,note\r\n0,\r\n1,\r\n');
    const lines = (await edge.call('GET', '/v1/rows/tame?format=jsonl')).text;
    expect(lines).toBe('{"id":0,"note":null}\n{"id":1,"note":null}\n');
  });

  it('is cut where reading fails, so that nobody takes a part for the whole', async () => {
    await expect(edge.call('GET', '/v1/rows/broken')).rejects.toThrow();
  });

  it('reads no further when the caller takes no more, and ends when he leaves', async () => {
    const leave = new AbortController();
    const answer = await fetch(`${edge.url}/v1/rows/endless`, {
      headers: { 'x-api-key': KEY },
      signal: leave.signal,
    });
    await eventually(
      async () => {
        const before = read.pages;
        await sleep(300);
        return read.pages - before;
      },
      (more) => more === 0,
    );
    expect(read).toMatchObject({ ended: false });
    expect(read.pages).toBeLessThan(5_000);
    leave.abort();
    await answer.body?.cancel().catch(() => undefined);
    await eventually(
      () => read.ended,
      (ended) => ended,
    );
  });
});
