import { z } from 'zod';
import type { Clock } from '../../lib/clock.ts';
import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { sqlStateOf } from '../../platform/db/db.errors.ts';
import { type AccountScope, bothModes, type SystemTx } from '../../platform/db/scope.ts';
import { memberErrors } from './members.errors.ts';
import * as store from './members.store.ts';
import { mayGrant, type Role } from './roles.model.ts';

/** The use cases of members. Ids are UUIDs of users. Members are the account's, whatever the mode. */
export interface MembersService {
  list(ctx: Context, page: { limit: number; after?: string | undefined }): Promise<store.MemberRow[]>;
  /** @throws member.not_found */
  get(ctx: Context, userId: string): Promise<store.MemberRow>;
  /** @throws member.not_found, member.role_forbidden, member.last_owner */
  changeRole(ctx: Context, userId: string, role: Role): Promise<store.MemberRow>;
  /** @throws member.not_found, member.role_forbidden, member.last_owner */
  remove(ctx: Context, userId: string): Promise<void>;
  /** The caller leaves one of their accounts. @throws member.not_found, member.last_owner */
  leave(ctx: Context, accountId: string): Promise<void>;
  /** Makes a user a member; one who is stays what they are. @throws member.limit_reached */
  join(tx: SystemTx, member: { accountId: string; userId: string; role: Role }): Promise<void>;
}

/** SQLSTATE by which the database refuses a member that the plan does not allow. */
const MEMBER_LIMIT = 'PQ404';

export function createMembersService({
  database,
  clock,
}: {
  database: Database;
  clock: Clock;
}): MembersService {
  const removeFrom = (scope: AccountScope, userId: string, check: (role: Role) => void) =>
    database.account(scope, async (tx) => {
      const { role, owners } = await store.lockForChange(tx, userId);
      if (role === undefined) throw memberErrors.notFound();
      check(role);
      if (role === 'owner' && owners === 1) throw memberErrors.lastOwner();
      await store.deleteMember(tx, userId);
    });

  return {
    list: (ctx, page) => database.accountOnce(bothModes(ctx), (tx) => store.listMembers(tx, page)),

    get: async (ctx, userId) =>
      existing(await database.accountOnce(bothModes(ctx), (tx) => store.findMember(tx, userId))),

    changeRole: (ctx, userId, wanted) =>
      database.account(bothModes(ctx), async (tx) => {
        const { role, owners } = await store.lockForChange(tx, userId);
        if (role === undefined) throw memberErrors.notFound();
        refuseBeyond(ctx, role);
        refuseBeyond(ctx, wanted);
        if (role === 'owner' && wanted !== 'owner' && owners === 1) throw memberErrors.lastOwner();
        await store.setRole(tx, userId, wanted);
        return existing(await store.findMember(tx, userId));
      }),

    remove: (ctx, userId) => removeFrom(bothModes(ctx), userId, (role) => refuseBeyond(ctx, role)),

    async leave(ctx, accountId) {
      const { actor } = ctx;
      if (actor.type !== 'user') throw memberErrors.notFound();
      await removeFrom({ ...bothModes(ctx), accountId }, actor.id, () => undefined);
    },

    join: (tx, member) => store.insertMember(tx, member, clock.now()).catch(refuseOverLimit),
  };
}

/** @throws member.role_forbidden where the role may do what the caller may not */
export function refuseBeyond(ctx: Pick<Context, 'scopes'>, role: Role): void {
  if (!mayGrant(ctx.scopes, role)) throw memberErrors.roleForbidden();
}

function existing(member: store.MemberRow | undefined): store.MemberRow {
  if (member === undefined) throw memberErrors.notFound();
  return member;
}

/** What the trigger `count_member` says beside its SQLSTATE. */
const memberRefusal = z.object({
  detail: z
    .string()
    .transform((text): unknown => JSON.parse(text))
    .pipe(z.object({ limit: z.int() })),
});

function refuseOverLimit(error: unknown): never {
  if (sqlStateOf(error) !== MEMBER_LIMIT) throw error;
  const { limit } = memberRefusal.parse(error).detail;
  throw memberErrors.limitReached({ detail: `The plan allows ${limit}.`, cause: error });
}
