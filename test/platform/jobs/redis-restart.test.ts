import { expect, it } from 'vitest';
import { z } from 'zod';
import { createJobs } from '../../../src/platform/jobs/jobs.ts';
import { defineQueue } from '../../../src/platform/jobs/queue-definition.ts';
import { createLog } from '../../../src/platform/log/log.ts';
import { untilItWorks } from '../../support/eventually.ts';
import { describeOnly } from '../../support/only-on.ts';
import { startRedisServer } from '../../support/redis-server.ts';

const queue = defineQueue('restarts', z.strictObject({ id: z.string() }), { backoffMs: 10 });

describeOnly('redis', 'jobs on Redis, when the server restarts', () => {
  it('are refused at once while it is down, and go on when it is back', async () => {
    const first = await startRedisServer();
    const log = createLog({ level: 'silent', format: 'json' });
    const jobs = await createJobs({ backend: { kind: 'redis', url: first.url, prefix: 'restart' }, log });
    const seen: string[] = [];
    await jobs.work(queue, async ({ id }) => void seen.push(id), { concurrency: 1 });
    await jobs.queue(queue).add({ id: 'before' });
    await expect.poll(() => seen).toEqual(['before']);

    await first.stop();
    await expect(jobs.queue(queue).add({ id: 'meanwhile' })).rejects.toThrow();
    await expect(jobs.health()).rejects.toThrow();

    const second = await startRedisServer(Number(new URL(first.url).port));
    await untilItWorks(() => jobs.queue(queue).add({ id: 'after' }, { jobId: 'after' }));
    await expect.poll(() => seen).toEqual(['before', 'after']);
    await jobs.close();
    await second.stop();
  });
});
