/** Every key and session belongs to one mode: `test` lives in the sandbox, `live` on WhatsApp itself. */
export type Mode = 'test' | 'live';

export const MODES = ['test', 'live'] as const satisfies readonly Mode[];
