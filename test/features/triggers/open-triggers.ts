import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { createEventNotifier } from '../../../src/features/events/event-notifier.ts';
import { createEventReader } from '../../../src/features/events/event-reader.ts';
import type { EventView } from '../../../src/features/events/show-event.ts';
import { createLaneMessages, type LaneHold } from '../../../src/features/messages/lane.service.ts';
import type { MessageView } from '../../../src/features/messages/messages.schema.ts';
import { createMessagesService } from '../../../src/features/messages/messages.service.ts';
import { sessionProblems } from '../../../src/features/sessions/named-sessions.service.ts';
import {
  TRIGGER_TIMINGS,
  TriggerRunner,
  type TriggerRunnerParts,
  type TriggerTimings,
} from '../../../src/features/triggers/trigger-runner.ts';
import type { TriggerSettings } from '../../../src/features/triggers/triggers.model.ts';
import { createTriggersService } from '../../../src/features/triggers/triggers.service.ts';
import { fromId, newUuid } from '../../../src/lib/ids.ts';
import { createOutboundHttp, type OutboundPolicy } from '../../../src/platform/net/outbound-http.ts';
import { contextOf } from '../../support/context.ts';
import { createTestDatabase, seedAccount } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLog } from '../../support/log.ts';
import { movableClock } from '../api-keys/open-api.ts';
import { seedHold } from '../messages/lane-fixture.ts';

export type Triggers = Awaited<ReturnType<typeof openTriggers>>;

/** Parts that a test replaces. */
export type Parts = Partial<Omit<TriggerRunnerParts, 'timings'>> & { timings?: Partial<TriggerTimings> };

export const SENDER = '919876543210';
const POLICY: OutboundPolicy = { https: 'optional', loopback: true };

/** A trigger for `login` that answers, unless said otherwise. */
export function settings(more: Partial<TriggerSettings> = {}): TriggerSettings {
  return {
    name: 'login',
    session_ids: null,
    match: 'exact',
    pattern: 'login',
    fold_case: true,
    fold_accents: true,
    reply: 'Hello {{name}}',
    reply_url: null,
    fallback_reply: null,
    priority: 0,
    cooldown_seconds: 0,
    active_hours: null,
    include_groups: false,
    max_in_a_row: 5,
    enabled: true,
    ...more,
  };
}

/** Triggers, messages and events of one worker process without sockets: tests say what WhatsApp brings. */
export async function openTriggers() {
  const db = await createTestDatabase(inject('postgresUrl'));
  const { database, vault } = db;
  const log = silentLog;
  const clock = movableClock();
  const outbound = createOutboundHttp();
  const woken: string[] = [];
  const counted: string[] = [];
  let runner: TriggerRunner | undefined;
  const notifier = createEventNotifier({
    database,
    log,
    onWork: ({ kind, subject }) => kind === 'triggers' && runner?.wake(subject),
  });
  const shared = { database, vault, newUuid, randomBytes, clock, log, onFact: notifier.notify };
  const messages = createMessagesService({ ...shared, waker: { wake: ({ id }) => woken.push(id) } });
  const lane = createLaneMessages(shared);
  const reader = createEventReader({ database, vault, log, loadMessages: messages.load, subjects: [] });
  const policyFor = () => POLICY;
  const triggers = createTriggersService({ ...shared, outbound, policyFor, sessionProblems });

  /** Another process that runs triggers. */
  function newRunner(more: Parts = {}): TriggerRunner {
    return new TriggerRunner({
      ...shared,
      messages,
      mode: 'test',
      http: outbound,
      policy: POLICY,
      loadMessages: messages.load,
      random: Math.random,
      cpuMs: () => 0,
      metrics: {
        looked: (outcome) => counted.push(outcome),
        skipped: (triggers) => counted.push(`skipped ${triggers}`),
        replied: (outcome) => counted.push(`reply ${outcome}`),
        asked: (outcome) => counted.push(`asked ${outcome}`),
      },
      ...more,
      timings: { ...TRIGGER_TIMINGS, sweepMs: 60_000, finishMs: 200, ...more.timings },
    });
  }

  const start = (more?: Parts) => {
    runner = newRunner(more);
    runner.start();
    return runner;
  };

  /** Brings a message from WhatsApp; resolves when it is stored. */
  async function receive(hold: LaneHold, text: string | null, more: Partial<Received> = {}): Promise<string> {
    const { from = SENDER, name = 'Asha', ageMs = 0, wireId = randomBytes(9).toString('hex') } = more;
    await lane.receive(hold, [
      {
        wireId,
        chat: typeof from === 'string' ? { phone: from } : from,
        fromMe: more.fromMe ?? false,
        pushName: name,
        sentAt: new Date(clock.now().getTime() - ageMs),
        content: text === null ? { type: 'unsupported', kind: 'image' } : { type: 'text', body: text },
      },
    ]);
    return wireId;
  }

  async function checks(): Promise<number> {
    const { rows } = await db.owner.query<{ count: number }>(
      'select count(*)::integer as count from trigger_checks',
    );
    return rows[0]?.count ?? 0;
  }

  async function events(hold: LaneHold): Promise<EventView[]> {
    const { rows } = await db.owner.query(
      `select id, txid::text, mode, type, session_id, message_id, data, created_at from events
       where account_id = $1 and type = 'trigger.fired' order by txid, id`,
      [hold.accountId],
    );
    return reader.show(contextOf(hold.accountId), rows);
  }

  return {
    db,
    clock,
    triggers,
    messages,
    lane,
    woken,
    counted,
    outbound,
    start,
    newRunner,
    receive,
    checks,
    events,
    /** A session held by this worker, of an account of its own unless one is given. */
    hold: (accountId?: string) => seedHold(db, accountId),
    account: () => seedAccount(db),
    /** @returns the trigger's UUID */
    async trigger(hold: Pick<LaneHold, 'accountId'>, more: Partial<TriggerSettings> = {}): Promise<string> {
      const { view } = await triggers.create(contextOf(hold.accountId), settings(more));
      return fromId('trigger', view.id) ?? '';
    },
    /** What the session answered, oldest first. */
    async replies(hold: LaneHold): Promise<MessageView[]> {
      const filter = { limit: 100, sessionId: hold.sessionId, direction: 'outbound' } as const;
      const found = await messages.list(contextOf(hold.accountId), filter);
      return found.map(({ message }) => message).toReversed();
    },
    /** Resolves when triggers have looked at every message. */
    settled: (withinMs?: number) => eventually(checks, (count) => count === 0, withinMs),
    async close() {
      await runner?.close();
      await notifier.flush();
      await outbound.close();
      await db.close();
    },
  };
}

interface Received {
  /** Digits, or both names. */
  from: string | { phone?: string; lid?: string };
  name: string;
  /** How long ago it was sent. */
  ageMs: number;
  wireId: string;
  fromMe: boolean;
}
