import type { BinaryNode } from '@whiskeysockets/baileys';

/** A reply of `query`, which Baileys leaves untyped, as the stanza that it is. */
export function asNode(value: unknown): BinaryNode | undefined {
  return isNode(value) ? value : undefined;
}

function isNode(value: unknown): value is BinaryNode {
  return typeof value === 'object' && value !== null && 'tag' in value && 'attrs' in value;
}
