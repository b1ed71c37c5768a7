import { inflateSync } from 'node:zlib';
import * as dictionary from '@whiskeysockets/baileys/lib/WABinary/constants.js';
import { decodeDecompressedBinaryNode } from '@whiskeysockets/baileys/lib/WABinary/decode.js';
import { encodeNode as encode } from 'whatsapp-rust-bridge';

export type Attributes = Record<string, string>;

/** One stanza or a part of one: WhatsApp's binary XML, decoded. */
export interface WireNode {
  tag: string;
  attrs: Attributes;
  content?: WireNode[] | string | Uint8Array;
}

/** Bit of the flag byte that says the rest is zlib-deflated. */
const DEFLATED = 2;

/**
 * Builds a node. Attributes that are `undefined` are left out; an empty text would not survive the encoding, so it is
 * left out too.
 */
export function element(
  tag: string,
  attributes: Record<string, string | number | undefined> = {},
  content?: WireNode[] | string | Uint8Array,
): WireNode {
  const attrs: Attributes = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== '') attrs[name] = String(value);
  }
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}

/** Encodes a node with its leading flag byte (never deflated). */
export function encodeNode(node: WireNode): Uint8Array {
  return encode(node);
}

/**
 * Decodes a frame's plaintext: flag byte and node.
 * @throws Error when the bytes are not a node.
 */
export function decodeNode(plaintext: Buffer): WireNode {
  const flag = plaintext[0] ?? 0;
  const body = plaintext.subarray(1);
  return decodeDecompressedBinaryNode(flag & DEFLATED ? inflateSync(body) : body, dictionary);
}

/** All child elements, or none where the content is text or bytes. */
export function children(node: WireNode | undefined, tag?: string): WireNode[] {
  if (!Array.isArray(node?.content)) return [];
  return tag === undefined ? node.content : node.content.filter((child) => child.tag === tag);
}

/** The first child element of that tag. */
export function child(node: WireNode | undefined, tag: string): WireNode | undefined {
  return Array.isArray(node?.content) ? node.content.find((one) => one.tag === tag) : undefined;
}

/** Content as bytes, whichever way the encoder packed it; `undefined` for elements and no content. */
export function bytesOf(node: WireNode | undefined): Buffer | undefined {
  const content = node?.content;
  if (typeof content === 'string') return Buffer.from(content);
  return content instanceof Uint8Array ? Buffer.from(content) : undefined;
}

/** Content as text, whichever way the encoder packed it. */
export function textOf(node: WireNode | undefined): string | undefined {
  const content = node?.content;
  if (typeof content === 'string') return content;
  return content instanceof Uint8Array ? Buffer.from(content).toString('utf8') : undefined;
}

/** Content as a big-endian unsigned number (registration ids are 4 bytes, key ids 3). */
export function numberOf(node: WireNode | undefined): number | undefined {
  const bytes = bytesOf(node);
  return bytes && bytes.length > 0 && bytes.length <= 6 ? bytes.readUIntBE(0, bytes.length) : undefined;
}

/** A number as big-endian bytes. */
export function bigEndian(value: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  bytes.writeUIntBE(value, 0, length);
  return bytes;
}
