import { expect, it } from 'vitest';
import type { SessionRow } from '../../../src/features/sessions/sessions.service.ts';
import { watchSession } from '../../../src/features/sessions/watch-session.ts';
import { newUuid, toId } from '../../../src/lib/ids.ts';
import { requestErrors } from '../../../src/platform/http/http.errors.ts';
import { contextOf } from '../../support/context.ts';

const id = newUuid();
const ROW: SessionRow = {
  ...{ id, account_id: newUuid(), mode: 'test', name: 'Shop', generation: 1, auto_pair: false },
  ...{
    desired: 'running',
    status: 'starting',
    status_code: null,
    status_detail: null,
    status_at: new Date(0),
  },
  ...{ phone: null, lid: null, device: null, display_name: null, linked_at: null, connected_at: null },
  ...{ qr: null, qr_expires_at: null, pairing_phone: null, pairing_code: null, pairing_error: null },
  ...{ pacing: null, created_at: new Date(0) },
};

/** What the stream sends while reading the session gives these, one after the other. */
async function sent(reads: (Partial<SessionRow> | Error)[]) {
  const left = [...reads];
  const sessions = {
    get: async () => {
      const next = left.shift() ?? requestErrors.notFound();
      if (next instanceof Error) throw next;
      return { ...ROW, ...next };
    },
  };
  const changes = { next: async () => undefined };
  const events = [];
  const stream = watchSession({ sessions, changes }, contextOf(newUuid()), id, new AbortController().signal);
  for await (const { event, data } of stream) events.push([event, data]);
  return events;
}

it('tells each status, each reason and each code once, and ends with the deletion', async () => {
  const qr = { status: 'pairing', qr: '2@a', qr_expires_at: new Date(1) } as const;
  const events = await sent([{}, {}, { status_code: 'session.timed_out' }, qr, qr, { ...qr, qr: '2@b' }]);
  expect(events.map(([event]) => event)).toEqual(['status', 'status', 'status', 'qr', 'qr', 'deleted']);
  expect(events.at(-1)).toEqual(['deleted', { session: toId('session', id) }]);
});

it('goes on when the session could not be read for a while', async () => {
  const events = await sent([
    {},
    new Error('no connection'),
    new Error('no connection'),
    { status: 'pairing' },
  ]);
  expect(events.map(([event]) => event)).toEqual(['status', 'status', 'deleted']);
});
