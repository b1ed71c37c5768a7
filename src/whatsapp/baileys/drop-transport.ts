/**
 * Cuts the TCP connection under Baileys' WebSocket. Baileys itself only asks the other end to close and waits, up to 30
 * seconds on a link that is dead, before it reports anything.
 */
export function dropTransport(client: object): void {
  // `socket` is protected in Baileys' types.
  const socket: unknown = Reflect.get(client, 'socket');
  if (typeof socket !== 'object' || socket === null || !('terminate' in socket)) return;
  if (typeof socket.terminate === 'function') Reflect.apply(socket.terminate, socket, []);
}
