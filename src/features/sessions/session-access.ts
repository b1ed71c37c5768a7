import type { Context } from '../../platform/context.ts';
import { sessionErrors } from './sessions.errors.ts';
import type { SessionRow } from './sessions.model.ts';
import type { SessionsDependencies } from './sessions.service.ts';
import { findOwner, findSession } from './sessions.store.ts';

/** Longest time between two looks at a row, should a notice be lost, in milliseconds. */
const LOOK_EVERY_MS = 500;

/** What the use cases share: reading a session, waiting for its worker, and waking that worker. */
export interface SessionAccess {
  /** @throws session.not_found */
  get(ctx: Context, id: string): Promise<SessionRow>;
  /** Reads until `done`, at each change of the row, for at most `timeoutMs`; returns the row as it then is. */
  waitUntil(
    ctx: Context,
    id: string,
    done: (row: SessionRow) => boolean,
    timeoutMs: number,
  ): Promise<SessionRow>;
  /** Gets the worker that holds the session to look at it now. */
  wake(ctx: Context, id: string): Promise<void>;
}

export function createSessionAccess({
  database,
  changes,
  clock,
  waker,
}: SessionsDependencies): SessionAccess {
  async function get(ctx: Context, id: string): Promise<SessionRow> {
    const row = await database.accountOnce(ctx, (tx) => findSession(tx, id));
    if (row === undefined) throw sessionErrors.notFound();
    return row;
  }

  return {
    get,
    async waitUntil(ctx, id, done, timeoutMs) {
      const deadline = clock.now().getTime() + timeoutMs;
      for (;;) {
        const changed = changes.next(id, LOOK_EVERY_MS);
        const row = await get(ctx, id);
        if (done(row) || clock.now().getTime() >= deadline) return row;
        await changed;
      }
    },
    async wake(ctx, id) {
      const owner = await database.accountOnce(ctx, (tx) => findOwner(tx, id));
      waker.wake({ id, mode: ctx.mode, owner });
    },
  };
}
