/** Shows a person what is being done and how long it took. */
export interface Progress {
  /** Runs one step under its name; the step may add a remark. */
  step<T>(name: string, run: (remark: (text: string) => void) => Promise<T>): Promise<T>;
  /** Prints text as it is. */
  say(text: string): void;
  /** Seconds since the start, such as `3.2 s`. */
  elapsed(): string;
}

/** Progress as lines of text on `out`. */
export function createProgress(out: { write(text: string): unknown }): Progress {
  const started = performance.now();
  const since = (from: number) => `${((performance.now() - from) / 1_000).toFixed(1)} s`;
  return {
    async step(name, run) {
      const from = performance.now();
      const remarks: string[] = [];
      const result = await run((text) => {
        remarks.push(text);
        out.write(`  … ${name}: ${text}\n`);
      });
      out.write(`  ✓ ${name.padEnd(14)} ${since(from)}\n`);
      return result;
    },
    say(text) {
      out.write(`${text}\n`);
    },
    elapsed: () => since(started),
  };
}
