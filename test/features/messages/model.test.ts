import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { LaneHold } from '../../../src/features/messages/lane.service.ts';
import { type MessageStatus, newWireId } from '../../../src/features/messages/messages.model.ts';
import { createProgressWriter, type Progress } from '../../../src/features/messages/progress-writer.ts';
import { newUuid } from '../../../src/lib/ids.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { messageNow, seedHold, seedMessage } from './lane-fixture.ts';
import { nextStatus } from './next-status.ts';

const news = fc.constantFrom<MessageStatus>('sending', 'sent', 'delivered', 'read', 'played', 'failed');
const receipts = fc.constantFrom<MessageStatus>('delivered', 'read', 'played');
const sequence = fc.array(news, { minLength: 1, maxLength: 8 });

const RANKS: MessageStatus[] = ['queued', 'sending', 'sent', 'delivered', 'read', 'played'];
const settle = (from: MessageStatus, all: readonly MessageStatus[]) => all.reduce(nextStatus, from);

describe("a message's status", () => {
  it('ends the same in whatever order receipts come', () => {
    const start = fc.constantFrom<MessageStatus>('queued', 'sending', 'sent');
    fc.assert(
      fc.property(start, fc.array(receipts), fc.array(fc.nat()), (from, all, keys) => {
        const shuffled = all
          .map((status, i) => ({ status, key: keys[i] ?? 0 }))
          .sort((a, b) => a.key - b.key);
        expect(
          settle(
            from,
            shuffled.map(({ status }) => status),
          ),
        ).toBe(settle(from, all));
      }),
    );
  });

  it('never goes back', () => {
    fc.assert(
      fc.property(sequence, (all) => {
        let status: MessageStatus = 'queued';
        for (const next of all) {
          const moved = nextStatus(status, next);
          if (moved !== 'failed') expect(RANKS.indexOf(moved)).toBeGreaterThanOrEqual(RANKS.indexOf(status));
          status = moved;
        }
      }),
    );
  });

  it('fails only while nothing was delivered, and then for good', () => {
    expect(nextStatus('sent', 'failed')).toBe('failed');
    expect(nextStatus('delivered', 'failed')).toBe('delivered');
    expect(nextStatus('failed', 'read')).toBe('failed');
    expect(nextStatus('received', 'failed')).toBe('received');
  });
});

describe("a message's status in the database", () => {
  let db: TestDatabase;
  let hold: LaneHold;
  beforeAll(async () => {
    db = await createTestDatabase(inject('postgresUrl'));
    hold = await seedHold(db);
  });
  afterAll(() => db.close());

  const toProgress = (status: MessageStatus, message: { id: string; wire_id: string }): Progress => {
    const { sessionId, epoch } = hold;
    const common = { sessionId, epoch, at: new Date() };
    return status === 'delivered' || status === 'read' || status === 'played'
      ? { kind: 'receipt', ...common, wireId: message.wire_id, status }
      : {
          kind: 'outcome',
          ...common,
          id: message.id,
          status: status === 'sending' || status === 'sent' ? status : 'failed',
        };
  };

  it('follows the model, whether news comes one at a time', async () => {
    const writer = createProgressWriter({ database: db.database, newUuid, onFact: () => undefined });
    await fc.assert(
      fc.asyncProperty(fc.array(sequence, { minLength: 10, maxLength: 10 }), async (sequences) => {
        const messages = await Promise.all(sequences.map(() => seedMessage(db, hold)));
        await Promise.all(
          sequences.map(async (all, i) => {
            const message = messages[i];
            for (const status of all) if (message) await writer.write(toProgress(status, message));
          }),
        );
        for (const [i, all] of sequences.entries()) {
          const { status } = await messageNow(db, messages[i]?.id ?? '');
          expect(status, all.join(' ')).toBe(settle('queued', all));
        }
      }),
      { numRuns: 15 },
    );
  });

  it('or all at once, where a failure and receipts do not contradict each other', async () => {
    const writer = createProgressWriter({ database: db.database, newUuid, onFact: () => undefined });
    const harmless = sequence.filter(
      (all) => !all.includes('failed') || !all.some((s) => RANKS.indexOf(s) > 2),
    );
    await fc.assert(
      fc.asyncProperty(harmless, async (all) => {
        const message = await seedMessage(db, hold);
        await Promise.all(all.map((status) => writer.write(toProgress(status, message))));
        expect((await messageNow(db, message.id)).status, all.join(' ')).toBe(settle('queued', all));
      }),
      { numRuns: 40 },
    );
  });

  it('has the same ranks as the model', async () => {
    const { rows } = await db.owner.query<{ status: MessageStatus; rank: number }>(
      `select status, app.message_rank(status) as rank from unnest($1::text[]) as s (status)`,
      [[...RANKS, 'failed', 'received']],
    );
    for (const a of rows) {
      for (const b of rows.filter(({ status }) => status !== 'failed')) {
        expect(nextStatus(a.status, b.status) === b.status, `${a.status} then ${b.status}`).toBe(
          b.rank >= a.rank && (b.rank > a.rank || a.status === b.status),
        );
      }
    }
  });
});

describe("WhatsApp's message id", () => {
  it('looks as WhatsApp Web makes it', () => {
    expect(newWireId(randomBytes)).toMatch(/^3EB0[0-9A-F]{18}$/);
    expect(newWireId(randomBytes)).not.toBe(newWireId(randomBytes));
  });
});
