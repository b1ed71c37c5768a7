const CODES = 1_000_000;
/** The largest multiple of it that three bytes reach: beyond, some codes would come more often than others. */
const FAIR = 16 * CODES;

/** A one-time code: six digits, every one as likely as the others. @param randomBytes cryptographically random */
export function newCode(randomBytes: (size: number) => Uint8Array): string {
  for (;;) {
    const [a = 0, b = 0, c = 0] = randomBytes(3);
    const value = a * 65_536 + b * 256 + c;
    if (value < FAIR) return String(value % CODES).padStart(6, '0');
  }
}
