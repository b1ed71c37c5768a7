import { createHmac, timingSafeEqual } from 'node:crypto';

/** What a signed link says. */
export interface FileLink {
  key: string;
  /** Unix time in seconds from which the link no longer works. */
  expires: number;
  /** Name that the browser saves the file under. */
  saveAs: string;
}

/** Path and query of a signed link; the signature is an HMAC-SHA256 over all that the link says. */
export function writeFileLink(link: FileLink, signingKey: Uint8Array): string {
  const query = new URLSearchParams({
    expires: String(link.expires),
    save_as: link.saveAs,
    signature: signatureOf(link, signingKey).toString('base64url'),
  });
  return `/files/${link.key}?${query.toString()}`;
}

/** Whether a link is ours, unchanged and of its time; compares in constant time. */
export function isValidLink(
  link: FileLink & { signature: string },
  signingKey: Uint8Array,
  at: Date,
): boolean {
  const expected = signatureOf(link, signingKey);
  const given = Buffer.from(link.signature, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
  return at.getTime() < link.expires * 1000;
}

function signatureOf({ key, expires, saveAs }: FileLink, signingKey: Uint8Array): Buffer {
  return createHmac('sha256', signingKey)
    .update(JSON.stringify([key, expires, saveAs]))
    .digest();
}
