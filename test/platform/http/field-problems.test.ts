import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldProblems, pointerOf } from '../../../src/platform/http/field-problems.ts';

const problems = (schema: z.ZodType, value: unknown) => {
  const { error } = schema.safeParse(value, { reportInput: true });
  return fieldProblems(error?.issues ?? [], 'body').map(({ detail }) => detail);
};

/** RFC 6901 §4: evaluates a pointer. */
const resolve = (document: unknown, pointer: string): unknown =>
  pointer
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(
      (value, key) =>
        typeof value === 'object' && value !== null
          ? Object.entries(value).find(([k]) => k === key)?.[1]
          : undefined,
      document,
    );

describe('what is wrong with a field', () => {
  it.each([
    [z.string(), undefined, 'is required'],
    [z.enum(['a', 'b']), undefined, 'is required'],
    [z.union([z.string(), z.number()]), undefined, 'is required'],
    [z.string(), 1, 'must be a string'],
    [z.int(), 1.5, 'must be a whole number'],
    [z.object({}), 1, 'must be an object'],
    [z.string().min(1), '', 'must have at least 1 character'],
    [z.string().max(2), 'abc', 'must have at most 2 characters'],
    [z.array(z.string()).min(2), ['a'], 'must have at least 2 items'],
    [z.number().min(3), 1, 'must be at least 3'],
    [z.literal('text'), 'image', 'must be "text"'],
    [z.iso.datetime(), 'today', 'must be an ISO 8601 time with a zone, such as 2026-11-21T09:00:00Z'],
    [z.string().regex(/^a$/, 'must be an a'), 'b', 'must be an a'],
    [z.string().regex(/^a$/), 'b', 'has the wrong form'],
    [
      z.union([z.object({ a: z.string() }), z.object({ b: z.string(), c: z.string() })]),
      { a: 1 },
      'must be a string',
    ],
  ])('is said in a few words (%#)', (schema, value, detail) => {
    expect(problems(schema, value)).toEqual([detail]);
  });
});

describe('a pointer', () => {
  it('leads back to its field, whatever the names hold', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => text !== '__proto__');
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (path) => {
        const document = path.reduceRight<unknown>((inner, key) => ({ [key]: inner }), 'here');
        expect(resolve(document, pointerOf(path, 'body'))).toBe('here');
      }),
    );
  });

  it('names a query parameter with a question mark', () => {
    expect(pointerOf(['limit'], 'query')).toBe('?limit');
  });
});
