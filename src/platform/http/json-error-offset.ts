const STRING = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"`;
const NUMBER = String.raw`-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;
const TOKEN = new RegExp(
  String.raw`(?<string>${STRING})|(?<scalar>${NUMBER}|true|false|null)|[[\]{},:]`,
  'y',
);
const SPACE = /[ \t\n\r]*/y;

/** What may come next. `ended` stands for whatever follows a value, which depends on what is open around it. */
type State =
  | 'value'
  | 'first item'
  | 'name'
  | 'first name'
  | 'colon'
  | 'item'
  | 'member'
  | 'nothing'
  | 'ended';

const VALUE = { string: 'ended', scalar: 'ended', '{': 'first name', '[': 'first item' } as const;

/** JSON's grammar (RFC 8259): from each state, the tokens that it allows and the state after them. */
const GRAMMAR: Record<Exclude<State, 'ended'>, Readonly<Record<string, State>>> = {
  value: VALUE,
  'first item': { ...VALUE, ']': 'ended' },
  name: { string: 'colon' },
  'first name': { string: 'colon', '}': 'ended' },
  colon: { ':': 'value' },
  item: { ',': 'value', ']': 'ended' },
  member: { ',': 'name', '}': 'ended' },
  nothing: {},
};

/**
 * Where in a text the first token stands that JSON does not allow; `JSON.parse` does not always say.
 * @returns a UTF-16 offset; the text's length where it ends too early or nothing is wrong
 */
export function jsonErrorOffset(text: string): number {
  const open: string[] = [];
  let state: Exclude<State, 'ended'> = 'value';
  let offset = skipSpace(text, 0);
  while (offset < text.length) {
    TOKEN.lastIndex = offset;
    const match = TOKEN.exec(text);
    if (match === null) return offset;
    const [token] = match;
    const kind = kindOf(match);
    const next: State | undefined = GRAMMAR[state][kind];
    if (next === undefined) return offset;
    if (kind === '{' || kind === '[') open.push(kind);
    if (kind === '}' || kind === ']') open.pop();
    state = next === 'ended' ? stateInside(open.at(-1)) : next;
    offset = skipSpace(text, offset + token.length);
  }
  return text.length;
}

/** `string`, `scalar`, or the mark itself. */
function kindOf({ 0: token, groups = {} }: RegExpExecArray): string {
  return Object.keys(groups).find((name) => groups[name] !== undefined) ?? token;
}

function stateInside(open: string | undefined): 'item' | 'member' | 'nothing' {
  if (open === undefined) return 'nothing';
  return open === '[' ? 'item' : 'member';
}

function skipSpace(text: string, offset: number): number {
  SPACE.lastIndex = offset;
  SPACE.exec(text);
  return SPACE.lastIndex;
}
