const NAME = /^(UTC|[a-z]+(\/[a-z0-9_+-]+)+)$/i;

/** Whether there is a time zone of this IANA name, such as `Asia/Kolkata` or `UTC`. Offsets are no names. */
export function isTimeZone(name: string): boolean {
  if (!NAME.test(name)) return false;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
