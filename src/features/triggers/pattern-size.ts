/** How much work it is to compile a pattern. */
export interface PatternSize {
  /** The engine's instructions, rather too many than too few: what stands in `{…}` is compiled as often as it says. */
  instructions: number;
  /** Characters in the ranges of its classes: the engine goes through them for their upper and lower case. */
  inClasses: number;
}

/** A group that is open: what it has come to, and its last part, which a repetition may follow. */
interface Group {
  before: number;
  last: number;
}

/** Beyond this, characters have no upper and lower case. */
const LAST_LETTER = 0x1e943;
/** What a class by name (`\p{L}`) counts for. */
const NAMED_CLASS = 5_000;

const POINT = String.raw`\\x\{[0-9a-fA-F]{1,8}\}|\\x[0-9a-fA-F]{2}|\\.|.`;
const NAMED = String.raw`\\[pP](?:\{[^}]*\}|.)`;
/** What stands for itself, a class, the ends of a group, an alternative, or how often. */
const TOKEN = new RegExp(
  [
    // Nothing that could be repeated: what follows repeats what went before.
    String.raw`(?<nothing>\(\?[\w-]*\)|\\Q\\E)`,
    String.raw`\\Q(?<quoted>.*?)(?:\\E|$)`,
    `(?<named>${NAMED})`,
    String.raw`(?<class>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\])`,
    String.raw`(?<open>\((?:\?(?:P?<[^>]*>|[\w-]*:?))?)`,
    String.raw`(?<close>\))`,
    String.raw`(?<or>\|)`,
    String.raw`(?<some>[*+?])`,
    String.raw`\{(?<least>\d+)(?<upTo>,(?<most>\d*))?\}`,
    POINT,
  ].join('|'),
  'gsu',
);
const RANGE = new RegExp(`(?<named>${NAMED})|(?<from>${POINT})-(?<to>${POINT})|${POINT}`, 'gsu');

/** Measures a pattern by its text alone, in a time that goes with its length; it need not be one that the engine takes. */
export function patternSize(pattern: string): PatternSize {
  const open: Group[] = [{ before: 0, last: 0 }];
  let inClasses = 0;
  for (const { groups = {} } of pattern.matchAll(TOKEN)) {
    take(open, groups);
    inClasses += groups['named'] === undefined ? charactersIn(groups['class']) : NAMED_CLASS;
  }
  while (open.length > 1) close(open);
  // And its ends, and what an empty one comes to.
  return { instructions: sizeOf(open[0]) + 3, inClasses };
}

function take(open: Group[], token: Record<string, string | undefined>): void {
  const group = open.at(-1);
  if (group === undefined || token['nothing'] !== undefined) return;
  if (token['open'] !== undefined) open.push({ before: 0, last: 0 });
  else if (token['close'] !== undefined) close(open);
  else if (token['or'] !== undefined) append(group, 2);
  else if (token['some'] !== undefined) group.last += 2;
  else if (token['least'] !== undefined) group.last = repeated(group.last, token);
  else append(group, token['quoted']?.length ?? 1);
}

function append(group: Group, size: number): void {
  group.before += group.last;
  group.last = size;
}

/** A group is a part of the one around it. */
function close(open: Group[]): void {
  const around = open.at(-2);
  if (around === undefined) return;
  append(around, sizeOf(open.pop()) + 3);
}

function sizeOf(group: Group | undefined): number {
  return group === undefined ? 0 : group.before + group.last;
}

function repeated(size: number, { least, upTo, most }: Record<string, string | undefined>): number {
  const from = Number(least);
  if (upTo === undefined) return Math.max(1, from) * size;
  if (most === undefined || most === '') return Math.max(1, from) * size + 2;
  return Math.max(1, Number(most)) * (size + 1);
}

function charactersIn(text = ''): number {
  let sum = 0;
  for (const { groups = {} } of text.slice(1, -1).matchAll(RANGE)) {
    if (groups['named'] !== undefined) sum += NAMED_CLASS;
    if (groups['from'] === undefined || groups['to'] === undefined) continue;
    const last = Math.min(pointOf(groups['to']), LAST_LETTER);
    sum += Math.max(0, last - pointOf(groups['from']));
  }
  return sum;
}

function pointOf(text: string): number {
  const hex = /^\\x\{?([0-9a-fA-F]+)\}?$/.exec(text)?.[1];
  return hex === undefined ? (text.replace(/^\\(?=.)/s, '').codePointAt(0) ?? 0) : Number.parseInt(hex, 16);
}
