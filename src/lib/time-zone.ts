const NAME = /^(UTC|[a-z]+(\/[a-z0-9_+-]+)+)$/i;

/** Node lists the zones as it spells them, but few of their other names (`Asia/Kolkata` is not among them). */
const LISTED = new Map(Intl.supportedValuesOf('timeZone').map((name) => [name.toLowerCase(), name]));
/** Words of the other names that are not written like names. */
const WORDS = new Map(
  'UTC UCT GMT US ACT LHI NSW IN BajaNorte BajaSur ComodRivadavia DeNoronha EasterIsland'
    .split(' ')
    .map((word) => [word.toLowerCase(), word]),
);

/**
 * The time zone of an IANA name, such as `Asia/Kolkata` or `UTC`, in the spelling of IANA: `asia/kolkata` becomes
 * `Asia/Kolkata`. Other names of a zone (`Asia/Calcutta`) stay what they are. Offsets are no names.
 * @returns `undefined` where there is no such zone
 */
export function toTimeZone(name: string): string | undefined {
  if (!NAME.test(name) || !isKnown(name)) return undefined;
  const small = name.toLowerCase();
  return LISTED.get(small) ?? small.replace(/[a-z]+/g, spelled);
}

function isKnown(name: string): boolean {
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function spelled(word: string): string {
  return WORDS.get(word) ?? word.charAt(0).toUpperCase() + word.slice(1);
}
