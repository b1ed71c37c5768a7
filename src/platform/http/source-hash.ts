import { createHash } from 'node:crypto';

/** Names an inline script or style in a Content-Security-Policy by its SHA-256, so that no other one runs. */
export function sourceHash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
