import { describe, inject } from 'vitest';

/** Tests that make sense on one queue alone. On the other they are skipped, and the run says why. */
export function describeOnly(queue: 'postgres' | 'redis', name: string, tests: () => void): void {
  const here = inject('queue') === queue;
  if (!here) process.stdout.write(`skipped: "${name}" needs QUEUE=${queue}\n`);
  describe.runIf(here)(name, tests);
}
