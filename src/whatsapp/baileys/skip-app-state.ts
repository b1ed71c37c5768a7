import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '@whiskeysockets/baileys';
import { takeListeners } from './take-listeners.ts';

/**
 * Acknowledges news of the account's app state (archived chats, contact names, settings of the phone) without fetching
 * it: nothing here reads it, and Baileys would download the whole of it at the first of these stanzas.
 */
export function skipAppState(socket: EventEmitter, acknowledge: (node: BinaryNode) => Promise<void>): void {
  const baileys = takeListeners(socket, 'CB:notification');
  socket.on('CB:notification', (node: BinaryNode) => {
    const done = node.attrs['type'] === 'server_sync' ? acknowledge(node) : baileys(node);
    // Unacknowledged, it comes again with the next connection.
    done.catch(() => undefined);
  });
}
