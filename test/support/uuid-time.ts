/** When the id was made, in milliseconds since the epoch (the first 48 bits of a UUIDv7, RFC 9562 §5.7). */
export function uuidTime(uuid: string): number {
  return Number.parseInt(uuid.replaceAll('-', '').slice(0, 12), 16);
}
