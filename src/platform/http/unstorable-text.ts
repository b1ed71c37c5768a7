import type { FieldProblem } from '../../lib/errors.ts';
import { type InputPart, pointerOf } from './field-problems.ts';

/** JSON can say both; Postgres takes neither in `text` or `jsonb`, and no phone shows them. */
const UNSTORABLE = /\0|\p{Surrogate}/u;

/** A value and where it stands; linked, since input may be nested however deep. */
interface Place {
  value: unknown;
  key?: string | number;
  parent?: Place;
}

/** Every place of an input that holds a NUL character or half of a surrogate pair. */
export function unstorableText(input: unknown, part: InputPart): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const places: Place[] = [{ value: input }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const { value } = place;
    if (typeof value === 'string') {
      if (UNSTORABLE.test(value)) {
        problems.push({ pointer: pointerOf(pathOf(place), part), detail: detailOf(value) });
      }
      continue;
    }
    for (const [key, inner] of entriesOf(value)) places.push({ value: inner, key, parent: place });
  }
  return problems.reverse();
}

function entriesOf(value: unknown): Iterable<[string | number, unknown]> {
  if (Array.isArray(value)) return value.entries();
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return [];
  return Object.entries(value);
}

function pathOf(place: Place): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at: Place | undefined = place; at !== undefined; at = at.parent) {
    if (at.key !== undefined) path.unshift(at.key);
  }
  return path;
}

function detailOf(value: string): string {
  return value.includes('\0') ? 'must not hold a NUL character' : 'must not hold half of a surrogate pair';
}
