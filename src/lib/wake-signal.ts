/** A flag that one loop waits on and others raise. Raised while nobody waits, it is kept for the next wait. */
export class WakeSignal {
  #raised = false;
  #resolve: (() => void) | undefined;

  raise(): void {
    this.#raised = true;
    this.#resolve?.();
  }

  /** Resolves when raised, or at once when it was raised since the last wait, or when the signal aborts, which uses nothing up. */
  async wait(signal: AbortSignal): Promise<void> {
    if (!this.#raised && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const settle = () => {
          signal.removeEventListener('abort', settle);
          this.#resolve = undefined;
          resolve();
        };
        this.#resolve = settle;
        signal.addEventListener('abort', settle, { once: true });
      });
    }
    if (!signal.aborted) this.#raised = false;
  }
}
