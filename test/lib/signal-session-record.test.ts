import fc from 'fast-check';
import { expect, test } from 'vitest';
import { joinRecord, loneSessions, sessionInfo, splitRecord } from '../../src/lib/signal-session-record.ts';

test('a record that was put together comes apart the same', () => {
  const session = fc.uint8Array({ maxLength: 700 });
  fc.assert(
    fc.property(session, fc.array(session, { maxLength: 40 }), (current, previous) => {
      const parts = splitRecord(joinRecord({ current, previous }));
      expect(Buffer.from(parts.current ?? []).equals(current)).toBe(true);
      expect(parts.previous.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(
        previous.map((bytes) => Buffer.from(bytes).toString('hex')),
      );
    }),
  );
});

test('the oldest sessions drop out', () => {
  const previous = Array.from({ length: 50 }, (_, i) => Uint8Array.of(i));
  expect(splitRecord(joinRecord({ current: Uint8Array.of(1), previous })).previous).toHaveLength(40);
});

test('each session stands alone, and comes back in front of the others', () => {
  const bytes = (...sessions: number[]) => sessions.map((session) => Buffer.of(session));
  const record = joinRecord({ current: Buffer.of(1), previous: bytes(2, 3) });
  const lone = loneSessions(record);
  expect(lone.map((session) => splitRecord(session.record))).toEqual(
    bytes(1, 2, 3).map((current) => ({ current, previous: [] })),
  );
  const changed = joinRecord({ current: Buffer.of(9), previous: [] });
  expect(lone.map(({ rejoin }) => splitRecord(rejoin(changed)))).toEqual([
    { current: Buffer.of(9), previous: bytes(2, 3) },
    { current: Buffer.of(9), previous: bytes(1, 3) },
    { current: Buffer.of(9), previous: bytes(1, 2) },
  ]);
  expect(loneSessions(new Uint8Array())).toEqual([]);
});

test('bytes that are no record are told apart, never misread for ever', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        sessionInfo(bytes);
      } catch (error) {
        expect(error).toMatchObject({ message: 'not a session record' });
      }
    }),
  );
  expect(sessionInfo(new Uint8Array())).toBeNull();
});
