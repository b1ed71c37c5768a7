/** How long a test waits for what must come. Only one that fails waits so long, or one on a starved machine. */
export const PATIENCE_MS = 90_000;
