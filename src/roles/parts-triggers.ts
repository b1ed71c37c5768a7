import { randomBytes } from 'node:crypto';
import type { MessagesService } from '../features/messages/messages.service.ts';
import { sessionProblems } from '../features/sessions/named-sessions.service.ts';
import type { TriggerMetrics } from '../features/triggers/trigger-metrics.ts';
import { TRIGGER_TIMINGS, TriggerRunner } from '../features/triggers/trigger-runner.ts';
import { createTriggerWaker, triggerWakeQueue } from '../features/triggers/trigger-wake.jobs.ts';
import { triggerRoutes } from '../features/triggers/triggers.routes.ts';
import { createTriggersService } from '../features/triggers/triggers.service.ts';
import { newUuid } from '../lib/ids.ts';
import type { Mode } from '../lib/mode.ts';
import { systemClock } from '../lib/system-clock.ts';
import type { Route } from '../platform/http/route.ts';
import type { Metrics } from '../platform/metrics/metrics.ts';
import type { Core } from './core.ts';
import type { Outbound } from './parts-outbound.ts';

/** The API's side of triggers: its routes, and the hint to a worker where a fact asks for a look. */
export function openTriggerRoutes(core: Core, { http, policyFor }: Outbound): Route[] {
  const { database, vault } = core;
  const wake = createTriggerWaker(core);
  core.onCausedWork('triggers', ({ subject, mode }) => wake(subject, mode));
  const parts = { database, vault, newUuid, randomBytes, clock: systemClock };
  return triggerRoutes(createTriggersService({ ...parts, outbound: http, policyFor, sessionProblems }));
}

/** Looks at the messages that one mode received. */
export async function runTriggers(
  core: Core,
  { http, policyFor }: Outbound,
  worker: { mode: Mode; messages: MessagesService },
): Promise<void> {
  const { database, vault, jobs, log, events, lifecycle, metrics } = core;
  const { mode, messages } = worker;
  const wake = createTriggerWaker(core);
  const runner = await lifecycle.open(
    'triggers',
    () => {
      const opened = new TriggerRunner({
        database,
        vault,
        mode,
        messages,
        newUuid,
        randomBytes,
        log,
        http,
        clock: systemClock,
        random: Math.random,
        cpuMs: usedCpuMs,
        policy: policyFor(mode),
        loadMessages: messages.load,
        onFact: events.notify,
        metrics: triggerMetrics(metrics, mode),
        timings: TRIGGER_TIMINGS,
      });
      opened.start();
      return opened;
    },
    { close: (opened) => opened.close(), timeoutMs: 4_000 },
  );
  core.onCausedWork('triggers', (work) => {
    if (work.mode === mode) runner.wake(work.subject);
    else wake(work.subject, work.mode);
  });
  await lifecycle.open(
    'trigger wake-ups',
    () =>
      jobs.work(triggerWakeQueue, async ({ account_id: id }) => runner.wake(id), {
        concurrency: 50,
        suffix: mode,
      }),
    { close: (opened) => opened.close(500) },
  );
}

function triggerMetrics(metrics: Metrics, mode: Mode): TriggerMetrics {
  return {
    looked: (outcome, ms) => metrics.triggerLooks.observe({ mode, outcome }, ms / 1_000),
    skipped: (triggers) => metrics.triggersSkipped.inc({ mode }, triggers),
    replied: (outcome) => metrics.triggerReplies.inc({ mode, outcome }),
    asked: (outcome, ms) => metrics.replyUrls.observe({ mode, outcome }, ms / 1_000),
  };
}

function usedCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}
