import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { sqlStateOf } from '../../platform/db/db.errors.ts';
import { askForPairingCode } from './ask-pairing-code.ts';
import { createSessionAccess } from './session-access.ts';
import type { SessionChanges } from './session-changes.ts';
import { sessionErrors } from './sessions.errors.ts';
import type { DesiredState, PacingOverrides, SessionRow } from './sessions.model.ts';
import { waitForQr } from './wait-for-qr.ts';

export type { Pacing, SessionRow } from './sessions.model.ts';

import * as store from './sessions.store.ts';

/** Gets a session's worker to look at it now. A hint: a lost one only costs a second or so. */
export interface SessionWaker {
  /** `owner` is the worker that holds the session; without one, any worker of the mode may claim it. */
  wake(session: { id: string; mode: Mode; owner: string | undefined }): void;
}

export interface SessionsDependencies {
  database: Database;
  changes: SessionChanges;
  waker: SessionWaker;
  newUuid: NewUuid;
  clock: Clock;
}

export interface NewSessionInput {
  name: string;
  autoPair: boolean;
  pacing: PacingOverrides | null;
}

/** The use cases of linked numbers. Ids are UUIDs. Throws `session.not_found` for what the caller cannot see. */
export interface SessionsService {
  /** Creates a session; with `autoPair` it waits up to 15 s for the sandbox to link it. */
  create(ctx: Context, input: NewSessionInput): Promise<SessionRow>;
  list(ctx: Context, page: { limit: number; after?: string | undefined }): Promise<SessionRow[]>;
  get(ctx: Context, id: string): Promise<SessionRow>;
  update(
    ctx: Context,
    id: string,
    settings: { name?: string | undefined; pacing?: PacingOverrides | null | undefined },
  ): Promise<SessionRow>;
  /** Logs the number out and forgets the session. Messages stay. */
  remove(ctx: Context, id: string): Promise<void>;
  restart(ctx: Context, id: string): Promise<SessionRow>;
  /** Unlinks the number; waits up to 10 s for WhatsApp to confirm. */
  logout(ctx: Context, id: string): Promise<SessionRow>;
  /** The session with a QR code to show, waiting up to 10 s for the first one. */
  qr(ctx: Context, id: string): Promise<SessionRow & { qr: string; qr_expires_at: Date }>;
  /** An 8-character code for the number (digits), to be typed on its phone. */
  pairingCode(ctx: Context, id: string, phone: string): Promise<string>;
}

/** What the trigger `count_session` refuses with. */
const SESSION_LIMIT = 'PQ403';

/** @throws session.limit_reached where the plan is what refused, else the error itself */
function limitReached(error: unknown): never {
  throw sqlStateOf(error) === SESSION_LIMIT ? sessionErrors.limitReached({ cause: error }) : error;
}

/** Builds the service on its parts. */
export function createSessionsService(deps: SessionsDependencies): SessionsService {
  const { database } = deps;
  const access = createSessionAccess(deps);
  const { get, waitUntil, wake } = access;

  async function request(ctx: Context, id: string, desired: DesiredState): Promise<void> {
    if (!(await database.account(ctx, (tx) => store.requestState(tx, id, desired)))) {
      throw sessionErrors.notFound();
    }
    await wake(ctx, id);
  }

  return {
    get,
    list: (ctx, page) => database.accountOnce(ctx, (tx) => store.listSessions(tx, page)),

    async create(ctx, session) {
      const row = await addSession(deps, ctx, session);
      if (!session.autoPair) return row;
      return waitUntil(ctx, row.id, ({ status }) => status === 'connected', 15_000);
    },

    async update(ctx, id, settings) {
      const row = await database.accountOnce(ctx, (tx) => store.updateSettings(tx, id, settings));
      if (row === undefined) throw sessionErrors.notFound();
      await wake(ctx, id);
      return row;
    },

    async remove(ctx, id) {
      await request(ctx, id, 'deleted');
    },

    async restart(ctx, id) {
      const row = await database.account(ctx, (tx) => store.requestRestart(tx, id));
      if (row === undefined) throw sessionErrors.notFound();
      await wake(ctx, id);
      return row;
    },

    async logout(ctx, id) {
      await request(ctx, id, 'logged_out');
      return waitUntil(ctx, id, ({ status }) => status === 'logged_out', 10_000);
    },

    qr: (ctx, id) => waitForQr(access, deps.clock, ctx, id),
    pairingCode: (ctx, id, phone) => askForPairingCode({ ...access, database }, ctx, id, phone),
  };
}

/** Adds a session and tells workers of it. @throws session.auto_pair_test_only, session.limit_reached */
async function addSession(
  { database, newUuid, waker }: SessionsDependencies,
  ctx: Context,
  { name, autoPair, pacing }: Parameters<SessionsService['create']>[1],
): Promise<SessionRow> {
  if (autoPair && ctx.mode === 'live') {
    throw sessionErrors.autoPairLive({
      fields: [{ pointer: '/auto_pair', detail: 'is for test keys only' }],
    });
  }
  const { accountId, mode } = ctx;
  const row = await database
    .accountOnce(ctx, (tx) =>
      store.insertSession(tx, { id: newUuid(), accountId, mode, name, autoPair, pacing }),
    )
    .catch(limitReached);
  waker.wake({ id: row.id, mode, owner: undefined });
  return row;
}
