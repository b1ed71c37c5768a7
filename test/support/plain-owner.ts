import { inject } from 'vitest';
import { createTestDatabase } from './database.ts';

type Run = (sql: string) => Promise<unknown>;

/**
 * Makes a role that is no superuser, but may grant the roles that Pingr needs, as an owner has it on a hosted Postgres.
 * Its password is `x`.
 * @param run sends a statement as the superuser
 */
export async function createPlainOwner(run: Run, name: string): Promise<void> {
  // Roles belong to the whole server: made by this owner, they would lose their own roles when it is dropped.
  await (await createTestDatabase(inject('postgresUrl'))).close();
  await run(`create role ${name} login createrole password 'x'`);
  for (const role of ['anon', 'authenticated', 'service_role', 'pingr_app', 'pingr_account']) {
    await run(`grant ${role} to ${name} with admin option`);
  }
}

/** Drops the role with what it has. */
export async function dropPlainOwner(run: Run, name: string): Promise<void> {
  await run(`drop owned by ${name} cascade`);
  await run(`drop role ${name}`);
}
