import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { Database } from '../../platform/db/database.ts';
import { bothModes, type SystemTx } from '../../platform/db/scope.ts';
import { userErrors } from './users.errors.ts';
import type { Person, ProfileChange, UserWithAccounts } from './users.model.ts';
import { updateOwnProfile } from './users.store.ts';
import { findFirebaseUser, findSignedInUser, findUser, saveUser } from './users.system.ts';

export type { Membership, Person, UserWithAccounts } from './users.model.ts';

/** The use cases of people. Ids are UUIDs. */
export interface UsersService {
  /** The user who calls. @throws user.not_found */
  me(ctx: Context): Promise<UserWithAccounts>;
  /** @throws user.not_found */
  updateMe(ctx: Context, change: ProfileChange): Promise<UserWithAccounts>;
  /** Finds the user or makes them, and locks them until the transaction ends. @returns their UUID */
  save(tx: SystemTx, person: Person): Promise<string>;
  find(tx: SystemTx, id: string): Promise<UserWithAccounts | undefined>;
  /** The user of one of our own sign-ins, while that stands. */
  findSignedIn(signInId: string): Promise<UserWithAccounts | undefined>;
  findByFirebase(project: string, uid: string): Promise<UserWithAccounts | undefined>;
}

export interface UsersDependencies {
  database: Database;
  newUuid: NewUuid;
  clock: Clock;
}

export function createUsersService({ database, newUuid, clock }: UsersDependencies): UsersService {
  const me = async (ctx: Context) => existing(await database.systemOnce((tx) => findUser(tx, callerOf(ctx))));
  return {
    me,

    async updateMe(ctx, change) {
      const id = callerOf(ctx);
      existing(await database.accountOnce(bothModes(ctx), (tx) => updateOwnProfile(tx, id, change)));
      return me(ctx);
    },

    save: (tx, person) => saveUser(tx, newUuid(), person, clock.now()),

    find: findUser,

    findSignedIn: (signInId) => database.systemOnce((tx) => findSignedInUser(tx, signInId, clock.now())),

    findByFirebase: (project, uid) => database.systemOnce((tx) => findFirebaseUser(tx, project, uid)),
  };
}

function callerOf({ actor }: Context): string {
  if (actor.type !== 'user') throw new Error('the operation is for users');
  return actor.id;
}

function existing<T>(user: T | undefined): T {
  if (user === undefined) throw userErrors.notFound();
  return user;
}
