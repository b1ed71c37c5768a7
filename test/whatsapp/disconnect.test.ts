import fc from 'fast-check';
import { expect, test } from 'vitest';
import { afterClose } from '../../src/whatsapp/disconnect.ts';
import type { SocketClosed } from '../../src/whatsapp/socket.ts';

test.each<[SocketClosed['code'], string, string, string]>([
  [401, 'stop', 'logged_out', 'session.logged_out'],
  [402, 'stop', 'banned', 'session.temporarily_banned'],
  [403, 'stop', 'banned', 'session.banned'],
  [405, 'stop', 'failed', 'session.client_outdated'],
  [406, 'stop', 'logged_out', 'session.logged_out'],
  [408, 'back_off', 'disconnected', 'session.timed_out'],
  [411, 'stop', 'failed', 'session.multi_device_mismatch'],
  [428, 'back_off', 'disconnected', 'session.connection_closed'],
  [429, 'back_off', 'disconnected', 'session.rate_limited'],
  [440, 'stop', 'replaced', 'session.replaced'],
  [500, 'back_off', 'disconnected', 'session.server_error'],
  [503, 'back_off', 'disconnected', 'session.whatsapp_unavailable'],
  [515, 'resume', 'disconnected', 'session.restart_required'],
  ['ack_timeout', 'resume', 'disconnected', 'session.link_silent'],
  ['closed_by_us', 'resume', 'disconnected', 'session.reconnecting'],
  ['connect_timeout', 'back_off', 'disconnected', 'session.connect_timeout'],
  ['lease_lost', 'stop', 'disconnected', 'session.moved'],
  ['not_stored', 'back_off', 'disconnected', 'session.not_stored'],
  ['untrusted_server', 'stop', 'failed', 'session.untrusted_server'],
  ['upgrade_refused', 'back_off', 'disconnected', 'session.upgrade_refused'],
])('%s → %s, %s, %s', (code, next, status, stable) => {
  expect(afterClose({ code, reason: '' })).toMatchObject({ next, status, code: stable });
});

test('whatever WhatsApp says, there is an answer, and only a known code gives a session up', () => {
  const final = [401, 402, 403, 405, 406, 409, 411, 418, 419, 440];
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 9999 }), (code) => {
      const { next, code: stable, detail } = afterClose({ code, reason: '' });
      expect(stable).toMatch(/^session\.[a-z_]+$/);
      expect(detail).toMatch(/^[A-Z].*\.$/);
      expect(next === 'stop').toBe(final.includes(code));
    }),
  );
});

test('what reconnects at once is what cannot storm: a restart that WhatsApp asked for, and our own doing', () => {
  const codes = Array.from({ length: 1000 }, (_, code) => code);
  expect(codes.filter((code) => afterClose({ code, reason: '' }).next === 'resume')).toEqual([515]);
});
