import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Socket,
  type Server as TcpServer,
} from 'node:net';
import { onTestFinished } from 'vitest';
import { CERTIFICATE, KEY } from './certificates.ts';

/** A server on a free port of 127.0.0.1 that lives as long as the test. */
export interface LocalServer {
  port: number;
  url: string;
  /** Connections made so far. */
  connections: () => number;
  /** Connections that are open now. */
  open: () => number;
}

/** Answers by HTTP. */
export async function httpServer(listener: RequestListener): Promise<LocalServer> {
  return listen(createHttpServer(listener), 'http');
}

/** Answers by HTTPS, as `hooks.example.com` of the tests' authority where not told otherwise. */
export async function httpsServer(listener: RequestListener, cert = CERTIFICATE): Promise<LocalServer> {
  return listen(createHttpsServer({ key: KEY, cert }, listener), 'https');
}

/** Speaks whatever it likes. */
export async function rawServer(onSocket: (socket: Socket) => void): Promise<LocalServer> {
  return listen(createTcpServer(onSocket), 'http');
}

/** Sends these bytes as soon as a request comes, and leaves the connection open. */
export async function sends(bytes: string): Promise<LocalServer> {
  return rawServer((socket) => socket.once('data', () => socket.write(bytes)));
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

async function listen(server: Server | TcpServer, scheme: string): Promise<LocalServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    connections: () => connections,
    open: () => sockets.size,
  };
}
