import Negotiator from 'negotiator';
import QRCode from 'qrcode';
import { requestErrors } from '../../platform/http/http.errors.ts';

export type QrFormat = 'png' | 'svg' | 'text' | 'json';

export const QR_MEDIA = {
  png: 'image/png',
  svg: 'image/svg+xml',
  text: 'text/plain; charset=utf-8',
} as const;

/** In the order of our liking, for callers who like several as much. */
const FORMAT_OF = new Map<string, QrFormat>([
  ['application/json', 'json'],
  [QR_MEDIA.png, 'png'],
  [QR_MEDIA.svg, 'svg'],
  [QR_MEDIA.text, 'text'],
]);

/**
 * The format that `?format=` or else `Accept` (RFC 9110, with its weights) asks for; JSON where neither says.
 * @throws request.not_acceptable
 */
export function qrFormat(asked: QrFormat | undefined, accept: string | undefined): QrFormat {
  if (asked !== undefined) return asked;
  const negotiator = new Negotiator({ headers: { accept: accept ?? '*/*' } });
  const format = FORMAT_OF.get(negotiator.mediaType([...FORMAT_OF.keys()]) ?? '');
  if (format === undefined) throw requestErrors.notAcceptable();
  return format;
}

/** Draws the code: PNG bytes, an SVG document, or blocks of text for a terminal. */
export async function drawQr(text: string, format: 'png' | 'svg' | 'text'): Promise<Buffer | string> {
  if (format === 'png') return QRCode.toBuffer(text, { type: 'png', margin: 2, width: 320 });
  if (format === 'svg') return QRCode.toString(text, { type: 'svg', margin: 2 });
  return QRCode.toString(text, { type: 'utf8', margin: 2 });
}
