import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { defineRoute } from '../../../src/platform/http/route.ts';
import { nameView, openEdge } from './open-edge.ts';

/** What a connection that was kept open would hold a close back for. */
const KEPT_ALIVE_MS = 72_000;

describe('closing', () => {
  it('answers what is under way, then ends every connection, used or not', async () => {
    let finish = () => {};
    const gate = new Promise<void>((resolve) => (finish = resolve));
    let started = false;
    const edge = await openEdge({
      routes: [
        defineRoute({
          method: 'GET',
          path: '/slow',
          operationId: 'slow',
          summary: 'Slow',
          tag: 'Test',
          scope: undefined,
          answers: { 200: { description: 'Done.', schema: nameView } },
          handler: async () => {
            started = true;
            await gate;
            return { status: 200, body: { name: 'done' } };
          },
        }),
      ],
    });
    const { hostname, port } = new URL(edge.url);
    let ended = false;
    connect(Number(port), hostname).on('close', () => (ended = true));
    await edge.call('GET', '/healthz');

    const slow = edge.call('GET', '/slow');
    await expect.poll(() => started).toBe(true);
    const closed = edge.close();
    expect(ended).toBe(false);
    finish();
    expect((await slow).text).toBe('{"name":"done"}');
    const before = performance.now();
    await closed;
    expect(performance.now() - before).toBeLessThan(KEPT_ALIVE_MS);
    await expect.poll(() => ended).toBe(true);
  });

  it('is at once when nothing is under way', async () => {
    const edge = await openEdge({ routes: [] });
    const { hostname, port } = new URL(edge.url);
    await new Promise<void>((resolve) => connect(Number(port), hostname, resolve));
    const before = performance.now();
    await edge.close();
    expect(performance.now() - before).toBeLessThan(KEPT_ALIVE_MS);
  });
});
