import type { Log } from '../log/log.ts';
import type { Lifecycle } from './lifecycle.ts';

export interface SignalOptions {
  lifecycle: Lifecycle;
  log: Log;
  /** Longest time for the whole shutdown in milliseconds; the process then exits all the same. */
  timeoutMs: number;
  /**
   * Goes on after a rejection that nobody caught, which is logged: for a process whose library forgets promises, and
   * whose end would cost more than the one that failed.
   */
  survivesRejections?: boolean;
}

/**
 * Ends the process in order on SIGTERM, SIGINT, a lost parent (IPC channel closed) or an error nobody caught: closes
 * the lifecycle, then exits with 0, or with 1 after an error or an unclean close. A second signal exits at once.
 */
export function exitOnSignals({
  lifecycle,
  log,
  timeoutMs,
  survivesRejections = false,
}: SignalOptions): void {
  let ending = false;

  const end = (reason: string, code: number): void => {
    if (ending) return;
    ending = true;
    setTimeout(() => {
      log.error({ timeoutMs }, 'shutdown took too long');
      process.exit(1);
    }, timeoutMs).unref();
    void lifecycle.close(reason).then((clean) => process.exit(clean ? code : 1));
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (ending) {
        log.warn({ signal }, 'second signal: exiting at once');
        process.exit(1);
      }
      end(signal, 0);
    });
  }
  process.on('disconnect', () => end('parent is gone', 0));
  process.on('uncaughtException', (err, origin) => {
    log.fatal({ err, origin }, 'error that nobody caught');
    end(origin, 1);
  });
  process.on('unhandledRejection', (err) => {
    if (survivesRejections) {
      log.error({ err }, 'rejection that nobody caught');
      return;
    }
    log.fatal({ err, origin: 'unhandledRejection' }, 'error that nobody caught');
    end('unhandledRejection', 1);
  });
}
