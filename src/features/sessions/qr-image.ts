import QRCode from 'qrcode';

export type QrFormat = 'png' | 'svg' | 'text' | 'json';

export const QR_MEDIA = {
  png: 'image/png',
  svg: 'image/svg+xml',
  text: 'text/plain; charset=utf-8',
} as const;

/** The format that `?format=` or else `Accept` asks for; JSON where neither says. */
export function qrFormat(asked: QrFormat | undefined, accept: string | undefined): QrFormat {
  if (asked !== undefined) return asked;
  const wanted = (accept ?? '').split(',').map((range) => range.split(';')[0]?.trim() ?? '');
  for (const type of wanted) {
    if (type === 'image/png' || type === 'image/*') return 'png';
    if (type === 'image/svg+xml') return 'svg';
    if (type === 'text/plain') return 'text';
    if (type === 'application/json') return 'json';
  }
  return 'json';
}

/** Draws the code: PNG bytes, an SVG document, or blocks of text for a terminal. */
export async function drawQr(text: string, format: 'png' | 'svg' | 'text'): Promise<Buffer | string> {
  if (format === 'png') return QRCode.toBuffer(text, { type: 'png', margin: 2, width: 320 });
  if (format === 'svg') return QRCode.toString(text, { type: 'svg', margin: 2 });
  return QRCode.toString(text, { type: 'utf8', margin: 2 });
}
