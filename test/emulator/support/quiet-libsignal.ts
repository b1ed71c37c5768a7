import { vi } from 'vitest';

/** libsignal prints whole sessions, private keys included, to the console: not in tests. */
for (const method of ['log', 'info', 'warn', 'error'] as const)
  vi.spyOn(console, method).mockImplementation(() => {});
