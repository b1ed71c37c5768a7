import type { EventEmitter } from 'node:events';
import type { BinaryNode } from '@whiskeysockets/baileys';

/** What Baileys would have done with a stanza. */
export type BaileysHandling = (node: BinaryNode) => Promise<void>;

/**
 * Takes Baileys' listeners for a stanza off its socket, so that something can be done before they run, or instead.
 * @returns runs them; resolves when they are done
 * @throws Error when there are none: Baileys changed, and stanzas would be acknowledged before they are stored
 */
export function takeListeners(socket: EventEmitter, event: string): BaileysHandling {
  const listeners = socket.listeners(event);
  if (listeners.length === 0) throw new Error(`Baileys does not listen for ${event}`);
  socket.removeAllListeners(event);
  return async (node) => {
    for (const listener of listeners) {
      const done: unknown = Reflect.apply(listener, socket, [node]);
      await done;
    }
  };
}
