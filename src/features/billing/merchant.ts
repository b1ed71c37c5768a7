import { createHash } from 'node:crypto';

/** A name for a merchant account: of the server and the key, told apart but not told. */
export function merchantOf(apiUrl: string, key: string): string {
  const digest = createHash('sha256').update(key).digest('hex');
  return `${new URL(apiUrl).host}/${digest.slice(0, 12)}`;
}
