import PQueue from 'p-queue';

/** Limits how many connections a process opens at once and in a second, so that a thousand sessions never storm. */
export interface ReconnectGate {
  /** Resolves when it is this session's turn, or at once when the signal aborts. */
  enter(signal: AbortSignal): Promise<void>;
}

export function createReconnectGate(limit: { perSecond: number }): ReconnectGate {
  const queue = new PQueue({ interval: 1_000, intervalCap: limit.perSecond });
  return {
    enter: (signal) => queue.add(() => undefined, { signal }).catch(() => undefined),
  };
}
