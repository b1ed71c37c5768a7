import { z } from 'zod';
import { fromId, type IdKind, toId } from '../../lib/ids.ts';

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** Which page of a list is wanted. */
export interface PageInput {
  limit: number;
  /** UUID of the last item of the page before. */
  after?: string | undefined;
}

/** Query parameters of a list of things of a kind; spread into the route's query schema. */
export function pageQuery(kind: IdKind) {
  return {
    limit: z.coerce
      .number()
      .int()
      .min(1)
      .max(MAX_LIMIT)
      .default(DEFAULT_LIMIT)
      .meta({ description: `How many to return, 1 to ${MAX_LIMIT}.`, example: DEFAULT_LIMIT }),
    after: z
      .string()
      .transform((cursor, context) => {
        const uuid = readCursor(kind, cursor);
        if (uuid !== undefined) return uuid;
        context.addIssue({ code: 'custom', message: 'is not a cursor of this list' });
        return z.NEVER;
      })
      .optional()
      .meta({ description: 'The `next_cursor` of the page before.', example: writeCursor(kind, EXAMPLE) }),
  };
}

/** Answer of a list. */
export function pageOf<T extends z.ZodType>(item: T, name: string) {
  return z
    .object({
      data: z.array(item).meta({ description: 'The page, newest first.' }),
      has_more: z.boolean().meta({ description: 'Whether there are more after this page.', example: false }),
      next_cursor: z
        .string()
        .nullable()
        .meta({ description: 'Send it as `after` for the next page; null on the last one.', example: null }),
    })
    .meta({ id: name, description: 'A page of a list.' });
}

interface Page<View> {
  data: View[];
  has_more: boolean;
  next_cursor: string | null;
}

/**
 * Makes a page of what a store found when asked for one item more than the limit.
 * @param view how an item is shown
 */
export function toPage<Item extends { id: string }, View>(
  items: readonly Item[],
  { limit }: PageInput,
  kind: IdKind,
  view: (item: Item) => View,
): Page<View> {
  const rows = items.slice(0, limit);
  return toOpenPage({ rows, next: items.length > limit ? rows.at(-1)?.id : undefined }, kind, view);
}

/** What a search found so far. */
export interface Found<Item> {
  rows: readonly Item[];
  /** UUID below which the search goes on; `undefined` where there is nothing more. */
  next: string | undefined;
}

/** Makes a page of what a search found, which may be less than was asked for although there is more. */
export function toOpenPage<Item, View>(
  { rows, next }: Found<Item>,
  kind: IdKind,
  view: (item: Item) => View,
): Page<View> {
  return {
    data: rows.map(view),
    has_more: next !== undefined,
    next_cursor: next === undefined ? null : writeCursor(kind, next),
  };
}

const EXAMPLE = '01890a5d-ac96-774b-bcce-b302099a8057';

/** Opaque to callers, so that what it points at may change. */
export function writeCursor(kind: IdKind, uuid: string): string {
  return Buffer.from(toId(kind, uuid)).toString('base64url');
}

/** @returns the UUID, or `undefined` where the text is no cursor of this kind of list */
export function readCursor(kind: IdKind, cursor: string): string | undefined {
  return fromId(kind, Buffer.from(cursor, 'base64url').toString('latin1'));
}
