import { describe, expect, it } from 'vitest';
import { qrFormat } from '../../../src/features/sessions/qr-image.ts';

describe('the format of a QR code', () => {
  it.each([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'json'],
    ['image/png', 'png'],
    ['IMAGE/PNG', 'png'],
    ['image/*', 'png'],
    ['image/png;q=0.1, application/json', 'json'],
    ['image/png;q=0.5, image/svg+xml', 'svg'],
    ['text/plain; charset=utf-8', 'text'],
  ] as const)('for Accept: %s is %s', (accept, format) => {
    expect(qrFormat(undefined, accept)).toBe(format);
  });

  it('is the one that the query names, whatever Accept says', () => {
    expect(qrFormat('svg', 'application/xml')).toBe('svg');
  });

  it.each(['application/xml', 'image/png;q=0', 'image/gif'])('cannot be made for Accept: %s', (accept) => {
    expect(() => qrFormat(undefined, accept)).toThrow(
      expect.objectContaining({ code: 'request.not_acceptable' }),
    );
  });
});
