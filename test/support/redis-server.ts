import { spawn } from 'node:child_process';
import { createServer } from 'node:net';

/** A Redis of this test run: nothing is written to disk. */
export interface TestRedis {
  url: string;
  stop(): Promise<void>;
}

/**
 * Starts `redis-server` from the PATH on 127.0.0.1.
 * @param givenPort a free one by default
 * @throws Error where it is not installed
 */
export async function startRedisServer(givenPort?: number): Promise<TestRedis> {
  const port = givenPort ?? (await freePort());
  const memoryOnly = ['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'];
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', ...memoryOnly], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new Error('QUEUE=redis needs redis-server on the PATH, or TEST_REDIS_URL set', { cause }));
    });
    child.once('exit', (code) => reject(new Error(`redis-server ended with code ${code}`)));
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.includes('Ready to accept connections')) resolve();
    });
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = address !== null && typeof address === 'object' ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
