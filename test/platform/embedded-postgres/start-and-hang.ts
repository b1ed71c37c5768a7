import pino from 'pino';
import { startEmbeddedPostgres } from '../../../src/platform/embedded-postgres/embedded-postgres.ts';

/** Starts a server in the directory of its argument, prints the address, and waits to be killed. */
const [dataDir = ''] = process.argv.slice(2);
const server = await startEmbeddedPostgres({ dataDir, durable: false, log: pino({ level: 'silent' }) });
process.stdout.write(`${server.url}\n`);
setInterval(() => {}, 1_000);
