import type { Notices } from '../../platform/db/notices.ts';
import { SESSION_CHANGED_CHANNEL } from './sessions.events.ts';

/** Tells waiting requests that a session's row changed, so that they look again. */
export interface SessionChanges {
  /** Resolves at the session's next change, after `timeoutMs`, or when the signal aborts; never rejects. */
  next(sessionId: string, timeoutMs: number, signal?: AbortSignal): Promise<void>;
}

/** Shares one LISTEN among all waiting requests of the process. */
export async function createSessionChanges(notices: Notices): Promise<SessionChanges> {
  const waiting = new Map<string, Set<() => void>>();

  await notices.listen(SESSION_CHANGED_CHANNEL, (sessionId) => {
    const groups =
      sessionId === undefined ? [...waiting.values()] : [waiting.get(sessionId) ?? new Set<() => void>()];
    for (const group of groups) for (const wake of Array.from(group)) wake();
  });

  return {
    next: (sessionId, timeoutMs, signal) =>
      new Promise((resolve) => {
        const group = waiting.get(sessionId) ?? new Set();
        waiting.set(sessionId, group);
        const wake = () => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', wake);
          group.delete(wake);
          if (group.size === 0) waiting.delete(sessionId);
          resolve();
        };
        const timer = setTimeout(wake, timeoutMs);
        signal?.addEventListener('abort', wake, { once: true });
        group.add(wake);
        if (signal?.aborted) wake();
      }),
  };
}
