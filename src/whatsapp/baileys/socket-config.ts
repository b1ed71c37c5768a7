import {
  isJidNewsletter,
  isJidStatusBroadcast,
  type UserFacingSocketConfig,
  type WABrowserDescription,
  type WAVersion,
} from '@whiskeysockets/baileys';
import type { Log } from '../../platform/log/log.ts';
import type { SocketOptions } from '../socket.ts';
import { baileysLogger } from './log-adapter.ts';
import { toProto } from './message-content.ts';

/** A link without a single frame for this long plus five seconds is dead; each silent interval costs one ping. */
const KEEP_ALIVE_MS = 20_000;

/** How this client shows itself to WhatsApp; Baileys' own where absent. */
export interface ClientIdentity {
  /** WhatsApp Web's version. */
  version?: WAVersion;
  /** Operating system, browser and its version, as listed on the phone under linked devices. */
  browser?: WABrowserDescription;
}

type SocketParts = Pick<UserFacingSocketConfig, 'auth'> &
  Required<Pick<UserFacingSocketConfig, 'makeSignalRepository' | 'userDevicesCache'>>;

/** Baileys' configuration: no history, no link previews, never shown as online, nothing that is not needed to message. */
export function socketConfig(
  { url, handlers, connectTimeoutMs, ackTimeoutMs }: SocketOptions,
  parts: SocketParts,
  client: ClientIdentity,
  log: Log,
): UserFacingSocketConfig {
  return {
    ...parts,
    ...client,
    waWebSocketUrl: url,
    connectTimeoutMs,
    defaultQueryTimeoutMs: ackTimeoutMs,
    keepAliveIntervalMs: KEEP_ALIVE_MS,
    logger: baileysLogger(log),
    markOnlineOnConnect: false,
    syncFullHistory: false,
    shouldSyncHistoryMessage: () => false,
    // Stories and channels are not messages to this number.
    shouldIgnoreJid: (jid) => isJidStatusBroadcast(jid) || isJidNewsletter(jid),
    emitOwnEvents: false,
    generateHighQualityLinkPreview: false,
    // It waits inside the lock that all inbound messages pass.
    retryRequestDelayMs: 0,
    // What Baileys still writes in transactions is kept in memory first: it cannot fail.
    transactionOpts: { maxCommitRetries: 2, delayBetweenTriesMs: 200 },
    async getMessage({ id }) {
      const content = id ? await handlers.loadSent(id) : undefined;
      return content && toProto({ content }, '');
    },
  };
}
