import type { SystemTx } from '../../platform/db/scope.ts';
import type { Person, UserWithAccounts } from './users.model.ts';

const WITH_MEMBERSHIPS = `
  select u.id, u.email, u.name, u.time_zone, u.locale, u.avatar_url, u.created_at,
    coalesce((
      select json_agg(json_build_object('account_id', m.account_id, 'account_name', a.name, 'role', m.role,
        'closed', app.is_closed(m.account_id)) order by m.created_at, m.account_id)
      from members m join accounts a on a.id = m.account_id where m.user_id = u.id), '[]') as memberships
  from users u`;

export async function findUser(tx: SystemTx, id: string): Promise<UserWithAccounts | undefined> {
  const [row] = await tx.query<UserWithAccounts>(`${WITH_MEMBERSHIPS} where u.id = $1`, [id]);
  return row;
}

/** The user of one of our own sign-ins, while that stands. */
export async function findSignedInUser(
  tx: SystemTx,
  signInId: string,
  at: Date,
): Promise<UserWithAccounts | undefined> {
  const [row] = await tx.query<UserWithAccounts>(
    `${WITH_MEMBERSHIPS} join sign_ins s on s.user_id = u.id where s.id = $1 and s.expires_at > $2`,
    [signInId, at],
  );
  return row;
}

export async function findFirebaseUser(
  tx: SystemTx,
  project: string,
  uid: string,
): Promise<UserWithAccounts | undefined> {
  const [row] = await tx.query<UserWithAccounts>(
    `${WITH_MEMBERSHIPS} where u.firebase_uid = $2 and u.firebase_project = $1`,
    [project, uid],
  );
  return row;
}

/**
 * Finds the user by who they are for Firebase, or by e-mail, or makes them; and locks them, so that two first requests
 * make one. What the user has set of their profile stays, and so does the address of whom Firebase knows.
 * @returns their UUID
 */
export async function saveUser(tx: SystemTx, id: string, person: Person, at: Date): Promise<string> {
  await lockIdentities(tx, person);
  const known = person.firebase && (await completeFirebaseUser(tx, person.firebase, person));
  return known ?? upsertByEmail(tx, id, person, at);
}

/** `on conflict` waits for one unique index, and fails on the other where two first requests insert at once. */
async function lockIdentities(tx: SystemTx, { email, firebase }: Person): Promise<void> {
  const identities = [email, ...(firebase ? [`${firebase.project} ${firebase.uid}`] : [])];
  // One after the other, in the same order for all.
  for (const identity of identities.sort()) {
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [identity]);
  }
}

/** Takes over what the profile lacks. @returns the user's UUID, or `undefined` where Firebase's user is not known */
async function completeFirebaseUser(
  tx: SystemTx,
  { project, uid }: NonNullable<Person['firebase']>,
  { name = '', avatarUrl }: Person,
): Promise<string | undefined> {
  const [row] = await tx.query<{ id: string }>(
    `update users set name = case when name = '' then $3 else name end, avatar_url = coalesce(avatar_url, $4)
     where firebase_uid = $2 and firebase_project = $1 returning id`,
    [project, uid, name, avatarUrl ?? null],
  );
  return row?.id;
}

async function upsertByEmail(tx: SystemTx, id: string, person: Person, at: Date): Promise<string> {
  const { email, name = '', avatarUrl = null, firebase } = person;
  const [row] = await tx.query<{ id: string }>(
    `insert into users as u (id, email, name, avatar_url, firebase_project, firebase_uid, created_at)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (email) do update set
       name = case when u.name = '' then excluded.name else u.name end,
       avatar_url = coalesce(u.avatar_url, excluded.avatar_url),
       firebase_project = coalesce(excluded.firebase_project, u.firebase_project),
       firebase_uid = coalesce(excluded.firebase_uid, u.firebase_uid)
     returning id`,
    [id, email, name, avatarUrl, firebase?.project ?? null, firebase?.uid ?? null, at],
  );
  if (row === undefined) throw new Error('insert returned no user');
  return row.id;
}
