import type { ServerResponse } from 'node:http';
import { serviceErrors } from './http.errors.ts';

/** The time that an answer may take. Its signal is made only where a handler asks for it: most never do. */
export class AnswerLimit {
  readonly #response: ServerResponse;
  readonly #ms: number;
  #over: AbortController | undefined;

  constructor(response: ServerResponse, ms: number) {
    this.#response = response;
    this.#ms = ms;
  }

  /** Aborts when the time is over or the caller has gone. */
  get signal(): AbortSignal {
    if (this.#over === undefined) {
      const over = new AbortController();
      this.#over = over;
      this.#response.once('close', () => over.abort());
    }
    return this.#over.signal;
  }

  /** What the work comes to. @throws service.timeout where it is not done in time; it then goes on unheard */
  keep<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(serviceErrors.timeout());
        this.#over?.abort();
      }, this.#ms);
      work.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }
}
