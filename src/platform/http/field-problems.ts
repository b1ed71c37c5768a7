import type { z } from 'zod';
import type { FieldProblem } from '../../lib/errors.ts';

type Issue = z.core.$ZodIssue;

/** Where an input comes from, which decides how its fields are named. */
export type InputPart = 'body' | 'query';

/** Every wrong place of an input, from zod's issues (made with `reportInput`, which tells what was missing). */
export function fieldProblems(issues: readonly Issue[], part: InputPart): FieldProblem[] {
  return issues.flatMap((issue) => problemsOf(issue, [], part));
}

/** JSON pointer (RFC 6901) into the body, or `?name` of a query parameter. */
export function pointerOf(path: readonly PropertyKey[], part: InputPart): string {
  if (part === 'query') return `?${path.map(String).join('.')}`;
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function problemsOf(issue: Issue, parent: readonly PropertyKey[], part: InputPart): FieldProblem[] {
  const path = [...parent, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const detail = part === 'body' ? 'is not a known field' : 'is not a known parameter';
    return issue.keys.map((key) => ({ pointer: pointerOf([...path, key], part), detail }));
  }
  if (issue.code === 'invalid_union' && issue.input !== undefined) {
    const closest = issue.errors.toSorted((a, b) => a.length - b.length)[0] ?? [];
    if (closest.length > 0) return closest.flatMap((inner) => problemsOf(inner, path, part));
  }
  return [{ pointer: pointerOf(path, part), detail: detailOf(issue) }];
}

const DEFAULT_MESSAGE = /^(Invalid|Too small|Too big)/;

/** A short predicate of the field. A schema's own message is taken as it is. */
function detailOf(issue: Issue): string {
  if (issue.code !== 'custom' && issue.input === undefined) return 'is required';
  if (!DEFAULT_MESSAGE.test(issue.message)) return issue.message;
  if (issue.code === 'invalid_type') return `must be ${article(issue.expected)}`;
  if (issue.code === 'invalid_value') return oneOf(issue.values);
  if (issue.code === 'too_small') return `must ${sizeOf(issue.origin, 'at least', issue.minimum)}`;
  if (issue.code === 'too_big') return `must ${sizeOf(issue.origin, 'at most', issue.maximum)}`;
  if (issue.code === 'invalid_format') return FORMATS[issue.format] ?? `is not a valid ${issue.format}`;
  return issue.message;
}

function oneOf(values: readonly unknown[]): string {
  const shown = values.map((value) => JSON.stringify(value)).join(', ');
  return values.length > 1 ? `must be one of ${shown}` : `must be ${shown}`;
}

const FORMATS: Record<string, string> = {
  datetime: 'must be an ISO 8601 time with a zone, such as 2026-11-21T09:00:00Z',
  regex: 'has the wrong form',
  url: 'is not a valid URL',
};

const UNITS: Record<string, string> = { string: 'character', array: 'item', set: 'item' };

function sizeOf(origin: string, bound: string, size: number | bigint): string {
  const unit = UNITS[origin];
  if (unit === undefined) return `be ${bound} ${size}`;
  return `have ${bound} ${size} ${unit}${Number(size) === 1 ? '' : 's'}`;
}

function article(type: string): string {
  if (type === 'int') return 'a whole number';
  return `${/^[aeiou]/.test(type) ? 'an' : 'a'} ${type}`;
}
