import type { EventEmitter } from 'node:events';

/**
 * Keeps what Baileys' listeners throw from ending the process: many are async without a catch, so a stanza they do not
 * understand, or a connection that closes under them, would be an unhandled rejection.
 * @param onError gets the error and the event, where a stanza failed
 * @param onBroken gets the error where the byte stream itself cannot be read any more
 */
export function guardListeners(
  socket: EventEmitter,
  onError: (error: unknown, event: string) => void,
  onBroken: (error: unknown) => void,
): void {
  for (const event of socket.eventNames()) {
    if (typeof event !== 'string') continue;
    const fail = event === 'message' ? onBroken : (error: unknown) => onError(error, event);
    if (event !== 'message' && !event.startsWith('CB:')) continue;
    const listeners = socket.listeners(event);
    socket.removeAllListeners(event);
    for (const listener of listeners) {
      const run = async (args: unknown[]) => {
        const done: unknown = Reflect.apply(listener, socket, args);
        await done;
      };
      // Whoever calls the listener by hand can still await it.
      socket.on(event, (...args: unknown[]): unknown => run(args).catch(fail));
    }
  }
}
