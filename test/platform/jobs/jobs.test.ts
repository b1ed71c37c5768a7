import { UnrecoverableError } from 'bullmq';
import pg from 'pg';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { createJobs, type Jobs } from '../../../src/platform/jobs/jobs.ts';
import { defineQueue } from '../../../src/platform/jobs/queue-definition.ts';
import { createLog } from '../../../src/platform/log/log.ts';
import { createMetrics } from '../../../src/platform/metrics/metrics.ts';
import { untilItWorks } from '../../support/eventually.ts';
import { createTestJobs, type TestJobs } from '../../support/jobs.ts';
import { describeOnly } from '../../support/only-on.ts';

const schema = z.strictObject({ id: z.string() });
const log = createLog({ level: 'silent', format: 'json' });
let world: TestJobs;
let jobs: Jobs;
let number = 0;

beforeAll(async () => {
  world = await createTestJobs();
  jobs = world.jobs;
});
afterAll(() => world.close());

/** A queue that no other test uses. */
const newQueue = (options = {}) => {
  number += 1;
  return defineQueue(`test-${'abcdefghijklmnopqrstuvwxyz'[number]}`, schema, { backoffMs: 10, ...options });
};
const gate = () => {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
};

describe(`jobs on ${inject('queue')}`, () => {
  it('brings a payload to the handler, once, in the order added', async () => {
    const queue = newQueue();
    const seen: string[] = [];
    await jobs.work(queue, async ({ id }) => void seen.push(id), { concurrency: 1 });
    await jobs.queue(queue).add({ id: 'one' });
    await jobs.queue(queue).addBulk(['two', 'three'].map((id) => ({ payload: { id } })));
    await expect.poll(() => seen).toEqual(['one', 'two', 'three']);
    expect((await jobs.depths()).find(({ queue: name }) => name === queue.name)?.counts).toEqual({
      waiting: 0,
      active: 0,
      delayed: 0,
      failed: 0,
    });
  });

  it('refuses a payload that does not fit, before it is stored', async () => {
    const queue = newQueue();
    const wrong: { id: string } = JSON.parse('{"id":"one","body":"hello"}');
    await expect(jobs.queue(queue).add(wrong)).rejects.toThrow(/body/);
  });

  it('keeps jobs until a worker comes, and lets another process work on them', async () => {
    const queue = newQueue();
    await jobs.queue(queue).add({ id: 'early' });
    expect((await jobs.depths()).find(({ queue: name }) => name === queue.name)?.counts.waiting).toBe(1);
    const other = await createJobs({ backend: world.backend, log });
    const seen: string[] = [];
    await other.work(queue, async ({ id }) => void seen.push(id), { concurrency: 1 });
    await expect.poll(() => seen).toEqual(['early']);
    await other.close();
  });

  it('runs as many at once as asked', async () => {
    const queue = newQueue();
    const hold = gate();
    let running = 0;
    let most = 0;
    await jobs.work(
      queue,
      async () => {
        running += 1;
        most = Math.max(most, running);
        await hold.opened;
        running -= 1;
      },
      { concurrency: 3 },
    );
    await jobs.queue(queue).addBulk(Array.from({ length: 6 }, (_, i) => ({ payload: { id: `${i}` } })));
    await expect.poll(() => running).toBe(3);
    hold.open();
    await expect.poll(() => running).toBe(0);
    expect(most).toBe(3);
  });

  it('waits for the delay', async () => {
    const queue = newQueue();
    const started = performance.now();
    const took = new Promise<number>((resolve) => {
      void jobs.work(queue, async () => resolve(performance.now() - started), { concurrency: 1 });
    });
    await jobs.queue(queue).add({ id: 'later' }, { delayMs: 200 });
    expect(await took).toBeGreaterThanOrEqual(195);
  });

  it('tries again after a failure, and keeps a job that failed every time', async () => {
    const queue = newQueue({ attempts: 3 });
    const attempts: [number, boolean][] = [];
    await jobs.work(
      queue,
      async (_, { attempt, lastAttempt }) => {
        attempts.push([attempt, lastAttempt]);
        throw new Error('no');
      },
      { concurrency: 1 },
    );
    await jobs.queue(queue).add({ id: 'unlucky' });
    await untilItWorks(async () => {
      const depth = (await jobs.depths()).find(({ queue: name }) => name === queue.name);
      expect(depth?.counts.failed).toBe(1);
    });
    expect(attempts).toEqual([
      [1, false],
      [2, false],
      [3, true],
    ]);
  });

  it('does not try again what cannot succeed', async () => {
    const queue = newQueue();
    let tries = 0;
    await jobs.work(
      queue,
      async () => {
        tries += 1;
        throw new UnrecoverableError('never');
      },
      { concurrency: 1 },
    );
    await jobs.queue(queue).add({ id: 'hopeless' });
    await untilItWorks(async () => {
      const depth = (await jobs.depths()).find(({ queue: name }) => name === queue.name);
      expect(depth?.counts.failed).toBe(1);
    });
    expect(tries).toBe(1);
  });

  it('drops a second job of the same id while the first is there, and after it for as long as it is kept', async () => {
    const queue = newQueue({ keepCompletedSeconds: 60 });
    const seen: string[] = [];
    for (const id of ['first', 'second']) await jobs.queue(queue).add({ id }, { jobId: 'msg_1' });
    await jobs.work(queue, async ({ id }) => void seen.push(id), { concurrency: 1 });
    await expect.poll(() => seen).toEqual(['first']);
    await jobs.queue(queue).add({ id: 'third' }, { jobId: 'msg_1' });
    await jobs.queue(queue).add({ id: 'last' });
    await expect.poll(() => seen).toEqual(['first', 'last']);
  });

  it('collapses wake-ups without losing the one that comes while the work is running', async () => {
    const queue = newQueue();
    const seen: string[] = [];
    const hold = gate();
    await jobs.work(
      queue,
      async ({ id }) => {
        seen.push(id);
        await hold.opened;
      },
      { concurrency: 2 },
    );
    const wake = (id: string) => jobs.queue(queue).add({ id }, { coalesce: 'ses_1' });
    await wake('one');
    await expect.poll(() => seen).toEqual(['one']);
    for (const id of ['two', 'three', 'four']) await wake(id);
    hold.open();
    await expect.poll(() => seen).toEqual(['one', 'four']);
    await wake('five');
    await expect.poll(() => seen).toEqual(['one', 'four', 'five']);
  });

  it('runs a schedule once for all processes, and takes a changed one', async () => {
    const queue = newQueue();
    let runs = 0;
    const other = await createJobs({ backend: world.backend, log });
    for (const process of [jobs, other]) {
      await process.schedule(queue, { cron: '0 0 1 1 *' }, { id: 'tick' });
      await process.work(queue, async () => void (runs += 1), { concurrency: 1 });
    }
    const started = performance.now();
    for (const process of [jobs, other]) await process.schedule(queue, { everyMs: 200 }, { id: 'tick' });
    await expect.poll(() => runs).toBeGreaterThanOrEqual(6);
    expect(runs).toBeLessThanOrEqual((performance.now() - started) / 200 + 2);
    await other.close();
  });

  it('keeps the parts of a queue apart', async () => {
    const queue = newQueue();
    const seen: string[] = [];
    await jobs.work(queue, async ({ id }) => void seen.push(id), { concurrency: 1, suffix: 'wrk_1' });
    await jobs.queue(queue, 'wrk_1').add({ id: 'mine' });
    await jobs.queue(queue, 'wrk_2').add({ id: "another's" });
    await expect.poll(() => seen).toEqual(['mine']);
    const depth = (await jobs.depths()).find(({ queue: name }) => name === queue.name);
    expect(depth?.counts.waiting).toBe(1);
  });

  it('lets running jobs finish when it closes, and tells them', async () => {
    const queue = newQueue();
    const other = await createJobs({ backend: world.backend, log });
    const steps: string[] = [];
    await other.work(
      queue,
      async (_, { signal }) => {
        steps.push('started');
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        steps.push('told');
      },
      { concurrency: 1 },
    );
    await jobs.queue(queue).add({ id: 'long' });
    await expect.poll(() => steps).toEqual(['started']);
    await other.close();
    expect(steps).toEqual(['started', 'told']);
    jobs.queue(queue);
    await jobs.queue(queue).add({ id: 'next' });
    const depth = (await jobs.depths()).find(({ queue: name }) => name === queue.name);
    expect(depth?.counts).toMatchObject({ waiting: 1, active: 0, failed: 0 });
  });

  it('does not wait longer than asked for a job that hangs; the job is worked on again', async () => {
    const queue = newQueue({ lockMs: 400 });
    const other = await createJobs({ backend: world.backend, log });
    let hanging = false;
    await other.work(
      queue,
      () => {
        hanging = true;
        return new Promise(() => {});
      },
      { concurrency: 1 },
    );
    await jobs.queue(queue).add({ id: 'stuck' });
    await expect.poll(() => hanging).toBe(true);
    await other.close(100);

    const again = new Promise<string>((resolve) => {
      void jobs.work(queue, async ({ id }) => resolve(id), { concurrency: 1 });
    });
    expect(await again).toBe('stuck');
  });

  it('measures jobs by queue and outcome', async () => {
    const metrics = createMetrics({ process: false });
    const other = await createJobs({ backend: world.backend, log, metrics });
    const queue = newQueue({ attempts: 2 });
    await other.work(
      queue,
      async (_, { attempt }) => {
        if (attempt === 1) throw new Error('once');
      },
      { concurrency: 1 },
    );
    await other.queue(queue).add({ id: 'one' });
    await untilItWorks(async () => {
      const text = await metrics.registry.metrics();
      expect(text).toContain(`pingr_job_duration_seconds_count{queue="${queue.name}",outcome="retried"} 1`);
      expect(text).toContain(`pingr_job_duration_seconds_count{queue="${queue.name}",outcome="completed"} 1`);
    });
    await other.close();
    expect(metrics.registry).toBeInstanceOf(Registry);
  });

  it('wakes an idle worker, which has not to look for itself', async () => {
    const queue = newQueue();
    let woken: () => void = () => {};
    await jobs.work(queue, async () => woken(), { concurrency: 10 });
    // An idle worker looks for itself every five seconds: a hundred times would take longer than a test may.
    for (let i = 0; i < 100; i++) {
      const done = new Promise<void>((resolve) => (woken = resolve));
      await jobs.queue(queue).add({ id: `${i}` });
      await done;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  it('says whether it is healthy', async () => {
    await expect(jobs.health()).resolves.toBeUndefined();
    const unreachable = { ...world.backend, url: world.backend.url.replace(/:\d+(\/|$)/, ':1$1') };
    await expect(createJobs({ backend: unreachable, log })).rejects.toThrow(/ECONNREFUSED|closed/);
  });
});

describeOnly('postgres', 'jobs on Postgres, when connections are lost', () => {
  it('go on as soon as the database is back', async () => {
    const queue = newQueue();
    const seen: string[] = [];
    await jobs.work(queue, async ({ id }) => void seen.push(id), { concurrency: 1 });
    await jobs.queue(queue).add({ id: 'before' });
    await expect.poll(() => seen).toEqual(['before']);
    const owner = new pg.Client({ connectionString: inject('postgresUrl') });
    await owner.connect();
    const database = new URL(world.backend.url).pathname.slice(1);
    await owner.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [
      database,
    ]);
    await owner.end();
    await untilItWorks(() => jobs.queue(queue).add({ id: 'after' }, { jobId: 'after' }));
    await expect.poll(() => seen).toEqual(['before', 'after']);
  });
});
