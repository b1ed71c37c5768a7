import type { Clock } from '../../lib/clock.ts';
import { systemClock } from '../../lib/system-clock.ts';
import type { Log } from '../../platform/log/log.ts';
import type { OpenSocket } from '../socket.ts';
import { createSharedKeys } from './key-cache.ts';
import { Session } from './session.ts';
import type { ClientIdentity } from './socket-config.ts';
import { installTrust } from './trust.ts';

export interface BaileysOptions extends ClientIdentity {
  log: Log;
  /** Hex of the root key that servers must prove themselves under; WhatsApp's own when absent. One a process. */
  rootKey?: string;
  /** Memory for recently used keys of all sessions of the process. */
  keyCacheBytes?: number;
  clock?: Clock;
  /** In [0, 1). */
  random?: () => number;
}

const DEFAULT_KEY_CACHE_BYTES = 32 * 1024 * 1024;

/**
 * Makes the adapter for WhatsApp's multi-device protocol, on an unmodified Baileys.
 * @throws Error when this process trusts another root key already, or when forged signatures are not refused
 */
export function createOpenSocket(options: BaileysOptions): OpenSocket {
  const {
    log,
    rootKey,
    keyCacheBytes = DEFAULT_KEY_CACHE_BYTES,
    clock = systemClock,
    random = Math.random,
  } = options;
  const { version, browser } = options;
  installTrust(rootKey);
  const client = { ...(version && { version }), ...(browser && { browser }) };
  const parts = { shared: createSharedKeys(keyCacheBytes), client, log, clock, random };
  return (socket) => Session.open(parts, socket);
}
