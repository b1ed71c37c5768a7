import type { WireNode } from '../../wire/node.ts';

/**
 * What an iq is answered with: content of the result (none: an empty result), an error, or nothing at all.
 * `undefined`: the handler does not know this query.
 */
export type IqAnswer = WireNode[] | { error: number; text: string } | 'silence' | undefined;
