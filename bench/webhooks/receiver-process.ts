import { createServer } from 'node:http';
import { sharedMicros } from '../machine/time.ts';

// A customer's server: answers 200 at once, or never where the path says so, and reports what arrived and when.

const server = createServer((request, response) => {
  const at = sharedMicros();
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.url === '/hang') return;
    response.end();
    const { id, data } = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    process.send?.({ at, path: request.url, id, text: data?.text?.body });
  });
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' && address !== null ? address.port : 0);
});
process.on('SIGTERM', () => process.exit());
