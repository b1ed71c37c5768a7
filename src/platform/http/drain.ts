import type { FastifyInstance } from 'fastify';

/**
 * Makes `close()` end with the last request that is under way. Node itself waits for connections on which no request
 * has come yet, as browsers and clients open them in advance.
 * @returns a signal that aborts as soon as closing begins
 */
export function drainOnClose(app: FastifyInstance): AbortSignal {
  const closing = new AbortController();
  let underWay = 0;
  const endWhenQuiet = () => {
    // After what was answered last has been handed to the system.
    if (closing.signal.aborted && underWay === 0) setImmediate(() => app.server.closeAllConnections());
  };
  app.addHook('onRequest', (_request, reply, done) => {
    underWay++;
    reply.raw.once('close', () => {
      underWay--;
      endWhenQuiet();
    });
    done();
  });
  app.addHook('preClose', async () => {
    closing.abort();
    endWhenQuiet();
  });
  return closing.signal;
}
