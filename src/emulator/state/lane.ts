/** Runs tasks strictly one after the other, in the order given. */
export class Lane {
  #last: Promise<unknown> = Promise.resolve();

  /** Queues a task; a failed one does not stop those behind it. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task, task);
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when everything queued so far is done. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
