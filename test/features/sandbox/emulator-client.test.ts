import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createEmulatorClient } from '../../../src/features/sandbox/emulator-client.ts';

/** Asks an emulator that answers like this, or, where it answers nothing, one that is not there. */
async function ask(answer: RequestListener | undefined): Promise<unknown> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (answer === undefined) {
    server.close();
    await once(server, 'close');
  }
  const emulator = createEmulatorClient({ controlUrl: `http://127.0.0.1:${port}`, controlToken: 'token' });
  try {
    return await emulator.call('realm', { method: 'POST', path: '/phones', body: {} }, z.unknown());
  } finally {
    server.close();
  }
}

it('says that nothing was done where the emulator is not there, so that the request may be repeated', async () => {
  await expect(ask(undefined)).rejects.toMatchObject({
    code: 'sandbox.unavailable',
    definition: { repeatable: true },
  });
});

it.each<[string, RequestListener]>([
  ['breaks off', (request) => request.socket.destroy()],
  ['fails', (_request, response) => response.writeHead(500).end('{}')],
])('does not say so where it was asked and %s', async (_what, answer) => {
  await expect(ask(answer)).rejects.toMatchObject({ code: 'sandbox.no_answer' });
  await expect(ask(answer)).rejects.not.toMatchObject({ definition: { repeatable: true } });
});
