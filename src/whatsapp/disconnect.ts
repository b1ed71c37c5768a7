import { defineOutcomes } from '../lib/outcomes.ts';
import type { SocketClosed } from './socket.ts';

/** Codes of our own, for endings that the wire library does not report. */
type OwnCode = Exclude<SocketClosed['code'], number>;

/**
 * What follows from a connection's end. `resume`: connect again at once, nobody need know. `back_off`: connect again
 * after a growing wait. `stop`: connecting again cannot help, or would harm; the customer must act.
 */
export interface AfterClose {
  next: 'resume' | 'back_off' | 'stop';
  /** The session's status from now on. */
  status: 'disconnected' | 'logged_out' | 'banned' | 'replaced' | 'failed';
  /** Stable code for the customer's program. */
  code: string;
  /** Sentence for the customer: what happened, and what to do where there is something to do. */
  detail: string;
}

const resume = (code: string, detail: string): AfterClose => ({
  next: 'resume',
  status: 'disconnected',
  code,
  detail,
});
const backOff = (code: string, detail: string): AfterClose => ({
  next: 'back_off',
  status: 'disconnected',
  code,
  detail,
});
const stop = (status: AfterClose['status'], code: string, detail: string): AfterClose => ({
  next: 'stop',
  status,
  code,
  detail,
});

const LOGGED_OUT = stop(
  'logged_out',
  'session.logged_out',
  'WhatsApp no longer knows this device: it was removed on the phone, or the number was registered anew. Link it again.',
);
const OUTDATED = stop(
  'failed',
  'session.client_outdated',
  'WhatsApp refuses this version of the protocol. Update Pingr, then restart the session.',
);
const TROUBLE = backOff(
  'session.server_error',
  'WhatsApp reported a fault of its own. The session connects again by itself.',
);

/**
 * Codes of the wire: `<failure reason>`, `<stream:error code>` and those that Baileys derives (`DisconnectReason`).
 * The names of the rarer ones are whatsmeow's `ConnectFailureReason`.
 */
const BY_WIRE_CODE: ReadonlyMap<number, AfterClose> = new Map([
  [
    400,
    backOff(
      'session.connection_failed',
      'WhatsApp refused the connection. The session connects again by itself.',
    ),
  ],
  [401, LOGGED_OUT],
  [
    402,
    stop(
      'banned',
      'session.temporarily_banned',
      'WhatsApp has banned this number for a time. Wait for the end of the ban shown on the phone, then restart the session.',
    ),
  ],
  [
    403,
    stop(
      'banned',
      'session.banned',
      'WhatsApp has banned this number, or its phone is gone. Check WhatsApp on the phone; a review can be asked for there.',
    ),
  ],
  [405, OUTDATED],
  [406, LOGGED_OUT],
  [
    408,
    backOff('session.timed_out', 'WhatsApp did not answer in time. The session connects again by itself.'),
  ],
  [409, OUTDATED],
  [
    411,
    stop(
      'failed',
      'session.multi_device_mismatch',
      'This number is not set up for linked devices. Update WhatsApp on the phone and link the number again.',
    ),
  ],
  [
    413,
    backOff(
      'session.token_expired',
      'WhatsApp wants a fresh connection. The session connects again by itself.',
    ),
  ],
  [
    414,
    backOff(
      'session.token_invalid',
      'WhatsApp wants a fresh connection. The session connects again by itself.',
    ),
  ],
  [
    415,
    backOff(
      'session.not_routed',
      'WhatsApp could not place the connection. The session connects again by itself.',
    ),
  ],
  [418, OUTDATED],
  [419, LOGGED_OUT],
  [
    428,
    backOff(
      'session.connection_closed',
      'The connection to WhatsApp was closed. The session connects again by itself.',
    ),
  ],
  [
    429,
    backOff(
      'session.rate_limited',
      'WhatsApp limits how often this number may connect. The session connects again by itself.',
    ),
  ],
  [
    440,
    stop(
      'replaced',
      'session.replaced',
      'The same linked device connected from somewhere else. Stop the other program, then restart the session.',
    ),
  ],
  [500, TROUBLE],
  [501, TROUBLE],
  [
    503,
    backOff(
      'session.whatsapp_unavailable',
      'WhatsApp is unavailable at the moment. The session connects again by itself.',
    ),
  ],
  [
    515,
    resume(
      'session.restart_required',
      'WhatsApp asked for a new connection. The session connects again at once.',
    ),
  ],
]);

const BY_OWN_CODE = {
  ack_timeout: resume(
    'session.link_silent',
    'The connection to WhatsApp had gone silent. The session connects again at once.',
  ),
  closed_by_us: resume('session.reconnecting', 'Pingr closed the connection and opens a new one.'),
  connect_timeout: backOff(
    'session.connect_timeout',
    'WhatsApp could not be reached in time. The session connects again by itself.',
  ),
  lease_lost: stop('disconnected', 'session.moved', 'The session runs on another worker now.'),
  not_stored: backOff(
    'session.not_stored',
    'Pingr could not store what WhatsApp delivered. It is delivered again when the session has reconnected.',
  ),
  untrusted_server: stop(
    'failed',
    'session.untrusted_server',
    'The server could not prove that it is WhatsApp: a signature was not valid. Check the network between Pingr and WhatsApp for something that intercepts it.',
  ),
  upgrade_refused: backOff(
    'session.upgrade_refused',
    'WhatsApp refused the connection before it began. The session connects again by itself.',
  ),
} satisfies Record<OwnCode, AfterClose>;

defineOutcomes(
  '`status_reason.code` of a session',
  [...BY_WIRE_CODE.values(), ...Object.values(BY_OWN_CODE), unknownEnding(0)].map(({ code, detail }) => ({
    code,
    meaning: detail.replace(' (0)', ''),
  })),
);

/**
 * Decides what follows from the end of a connection. Codes that nobody has seen before back off: that is the one
 * answer that neither gives a session up nor storms WhatsApp.
 */
export function afterClose({ code }: SocketClosed): AfterClose {
  if (typeof code !== 'number') return BY_OWN_CODE[code];
  return BY_WIRE_CODE.get(code) ?? unknownEnding(code);
}

function unknownEnding(code: number): AfterClose {
  return backOff(
    'session.disconnected',
    `WhatsApp ended the connection (${code}). The session connects again by itself.`,
  );
}
