import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Emulation } from '../network/emulation.ts';
import type { CertificateAuthority } from '../wire/certificates.ts';
import { Connection, type ConnectionEvents } from './connection.ts';

/** Where clients connect. */
export const SOCKET_PATH = '/ws/chat';
/** A client that says nothing for so long is gone: they ping every 30 s. */
const IDLE_MS = 180_000;
const SWEEP_MS = 30_000;
/** A stanza fits in a 3-byte length. */
const LONGEST_MESSAGE = 1 << 24;

/** Accepts clients' WebSockets. */
export class ChatServer {
  readonly connections = new Set<Connection>();
  readonly #emulation: Emulation;
  readonly #authority: CertificateAuthority;
  readonly #events: ConnectionEvents;
  readonly #http: Server = createServer((_, response) => response.writeHead(426).end());
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: LONGEST_MESSAGE,
  });
  /** Upgrades that a silent server neither answers nor closes. */
  readonly #unanswered = new Set<Duplex>();

  constructor(emulation: Emulation, authority: CertificateAuthority, events: ConnectionEvents) {
    this.#emulation = emulation;
    this.#authority = authority;
    this.#events = events;
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    emulation.timers.every(SWEEP_MS, () => this.#sweep());
  }

  /** Resolves with the port once clients can connect. */
  listen(host: string, port: number): Promise<number> {
    return listen(this.#http, host, port);
  }

  /** Drops all connections without a word, as a stopped server does. */
  async close(): Promise<void> {
    for (const connection of this.connections) connection.cut();
    for (const socket of this.#unanswered) socket.destroy();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { faults } = this.#emulation;
    socket.on('error', () => socket.destroy());
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== SOCKET_PATH) return refuse(socket, 404);
    if (faults.strike('silence')) return this.#leaveUnanswered(socket);
    const refusal = faults.strike('refuse_upgrade');
    if (refusal) return refuse(socket, refusal.status);
    this.#sockets.handleUpgrade(request, socket, head, (websocket) => {
      const identity = this.#authority.identity(faults.strike('forged_certificate')?.link);
      const connection = new Connection(websocket, identity, this.#events, this.#emulation);
      this.connections.add(connection);
      websocket.on('close', () => this.connections.delete(connection));
    });
  }

  #leaveUnanswered(socket: Duplex): void {
    this.#unanswered.add(socket);
    socket.on('close', () => this.#unanswered.delete(socket));
    socket.on('end', () => socket.destroy()).resume();
  }

  #sweep(): void {
    const oldest = this.#emulation.now().getTime() - IDLE_MS;
    for (const connection of this.connections) if (connection.lastHeardAt < oldest) connection.cut();
  }
}

/** Starts an HTTP server. Resolves with its port. */
export function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      const address: AddressInfo | string | null = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
