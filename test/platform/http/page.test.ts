import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { newUuid } from '../../../src/lib/ids.ts';
import { pageQuery, readCursor, toPage, writeCursor } from '../../../src/platform/http/page.ts';

const query = z.strictObject(pageQuery('message'));

describe('a cursor', () => {
  it('leads back to its item', () => {
    fc.assert(
      fc.property(fc.uuid(), (uuid) => {
        expect(readCursor('message', writeCursor('message', uuid))).toBe(uuid);
      }),
    );
  });

  it('of another list is none', () => {
    expect(readCursor('message', writeCursor('session', newUuid()))).toBeUndefined();
  });

  it('that is made up is none, and never an exception', () => {
    fc.assert(fc.property(fc.string(), (text) => readCursor('message', text) === undefined));
    expect(query.safeParse({ after: 'x' }).error?.issues[0]?.message).toBe('is not a cursor of this list');
  });
});

describe('the limit', () => {
  it.each([
    [{}, 20],
    [{ limit: '1' }, 1],
    [{ limit: '100' }, 100],
  ])('of %j is %i', (input, limit) => {
    expect(query.parse(input).limit).toBe(limit);
  });

  it.each(['0', '101', '-1', '1.5', 'many', ''])('is not %j', (limit) => {
    expect(query.safeParse({ limit }).success).toBe(false);
  });
});

describe('pages', () => {
  it('show every item once and in order, whatever the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 10 }), (count, limit) => {
        const items = Array.from({ length: count }, () => ({ id: newUuid() })).reverse();
        const seen: string[] = [];
        let after: string | undefined;
        for (let pages = 0; ; pages++) {
          const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
          const found = items.slice(start, start + limit + 1);
          const page = toPage(found, { limit }, 'message', ({ id }) => id);
          seen.push(...page.data);
          expect(page.has_more).toBe(page.next_cursor !== null);
          expect(pages).toBeLessThanOrEqual(count);
          if (page.next_cursor === null) break;
          after = readCursor('message', page.next_cursor);
        }
        expect(seen).toEqual(items.map(({ id }) => id));
      }),
    );
  });
});
