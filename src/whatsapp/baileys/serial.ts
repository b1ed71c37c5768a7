import { setImmediate as nextTurn } from 'node:timers/promises';

/**
 * Runs tasks one after the other in call order, with a turn of the event loop after each: sends from memory are
 * microtasks only, and a tight loop of them would starve acks, timers and every other session of the process.
 */
export class Serial {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(task);
    this.#tail = turn.then(
      () => nextTurn(),
      () => nextTurn(),
    );
    return turn;
  }
}
