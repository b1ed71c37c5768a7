import { ParseError, parsePhoneNumberWithError } from 'libphonenumber-js/max';

export type ParsedPhone =
  /** Digits with the country code, no `+`. */
  | { ok: true; digits: string }
  /** Why no such number can exist, as a sentence. */
  | { ok: false; reason: string };

const REASONS: Record<string, string> = {
  NOT_A_NUMBER: 'is not a phone number',
  INVALID_COUNTRY: 'has no known country code',
  TOO_SHORT: 'is too short for its country',
  TOO_LONG: 'is too long',
  INVALID_LENGTH: 'has a length that does not exist in its country',
};

/** Mexican mobiles carried a 1 until 2019. WhatsApp still knows many under it; the library's metadata do not. */
const MEXICO_WITH_1 = /^\+521(?=\d{10}$)/;

/**
 * Reads an international number: `+91 98765 43210`, `919876543210`, `00919876543210`, with spaces, dashes, dots or
 * brackets. Refuses what cannot exist (country code, length), not what merely is not assigned: WhatsApp knows better.
 */
export function parsePhone(text: string): ParsedPhone {
  const compact = text
    .trim()
    .replace(/[\s().-]/g, '')
    .replace(/^00/, '+');
  if (!/^\+?\d+$/.test(compact))
    return { ok: false, reason: 'may hold digits, spaces, dashes and a leading + only' };
  const international = compact.startsWith('+') ? compact : `+${compact}`;
  try {
    const number = parsePhoneNumberWithError(international.replace(MEXICO_WITH_1, '+52'));
    if (!number.isPossible()) return { ok: false, reason: REASONS['INVALID_LENGTH'] ?? '' };
    const digits = MEXICO_WITH_1.test(international) ? international : number.number;
    return { ok: true, digits: digits.slice(1) };
  } catch (error) {
    const reason = error instanceof ParseError ? REASONS[error.message] : undefined;
    return { ok: false, reason: reason ?? 'is not a phone number' };
  }
}
