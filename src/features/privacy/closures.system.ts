import type { SystemTx } from '../../platform/db/scope.ts';

export interface NewClosure {
  id: string;
  accountId: string;
  at: Date;
  eraseAt: Date;
}

/** What is fixed about whom to tell: channels of other slices, which must forget what they know. */
export interface Channels {
  keyChanged: string;
  sessionChanged: string;
}

/**
 * Closes an account: its keys count for nothing from here on, its sockets close (their leases move on to nobody, under
 * a new epoch, so that what a worker still does changes nothing), and nobody opens them again. People who have no other account are signed out.
 * @returns false where it was closed before
 */
export async function closeAccount(tx: SystemTx, closure: NewClosure, channels: Channels): Promise<boolean> {
  const rows = await tx.query(
    `with closure as (
       insert into account_closures (account_id, id, requested_at, erase_at, session_ids)
       select a.id, $2, $3, $4, array(select l.session_id from session_leases l where l.account_id = a.id and l.wanted)
       from accounts a where a.id = $1 on conflict do nothing returning *
     ), leases as (
       update session_leases l set wanted = false, owner = null, expires_at = null, epoch = l.epoch + 1
       from closure c where l.session_id = any(c.session_ids)
     ), sessions as (
       update sessions s set status = 'disconnected', status_code = 'account.closed', status_at = $3,
         status_detail = 'The account is closed. Restore it before it is erased.', qr = null, pairing_code = null
       from closure c where s.id = any(c.session_ids) returning s.id
     ), signed_out as (
       delete from sign_ins i using closure c, members m
       where m.account_id = c.account_id and i.user_id = m.user_id and not exists (
         select from members o
         where o.user_id = m.user_id and o.account_id <> c.account_id and not app.is_closed(o.account_id))
     ), told as (
       select pg_notify($5, k.id::text) from api_keys k join closure c on c.account_id = k.account_id
       union all select pg_notify($6, s.id::text) from sessions s
     ) select c.id, (select count(*) from told) from closure c`,
    [
      closure.accountId,
      closure.id,
      closure.at,
      closure.eraseAt,
      channels.keyChanged,
      channels.sessionChanged,
    ],
  );
  return rows.length > 0;
}

/**
 * Undoes a closure that is not being erased yet: keys work again, and sockets that were open open again.
 * @returns the account's name, or `undefined` where there is no such closure
 */
export async function reopenAccount(
  tx: SystemTx,
  closureId: string,
  at: Date,
  channels: Channels,
): Promise<string | undefined> {
  const [row] = await tx.query<{ name: string }>(
    `with closure as (
       delete from account_closures c where c.id = $1 and c.erasing_at is null and c.erase_at > $2 returning *
     ), leases as (
       update session_leases l set wanted = true, attempts = 0, next_attempt_at = now()
       from closure c where l.session_id = any(c.session_ids)
     ), sessions as (
       update sessions s set status_code = null, status_detail = null
       from closure c where s.id = any(c.session_ids) and s.status_code = 'account.closed'
     ), told as (
       select pg_notify($3, k.id::text) from api_keys k join closure c on c.account_id = k.account_id
     ) select a.name, (select count(*) from told) from accounts a join closure c on c.account_id = a.id`,
    [closureId, at, channels.keyChanged],
  );
  return row?.name;
}

/** A member's role in an account that is closed. */
export interface MemberOfClosed {
  role: string;
  /** UUID. */
  closure_id: string;
}

/** Finds a member of the account that is named by itself or by its closure; `undefined` where it is not closed. */
export async function findMemberOfClosed(
  tx: SystemTx,
  userId: string,
  of: { accountId: string } | { closureId: string },
): Promise<MemberOfClosed | undefined> {
  const [row] = await tx.query<MemberOfClosed>(
    `select m.role, c.id as closure_id from account_closures c join members m on m.account_id = c.account_id
     where m.user_id = $1 and (c.account_id = $2 or c.id = $3)`,
    [userId, 'accountId' in of ? of.accountId : null, 'closureId' in of ? of.closureId : null],
  );
  return row;
}

/** Accounts whose time to come back is over, and those whose erasure was begun. */
export async function findDueErasures(tx: SystemTx, at: Date): Promise<string[]> {
  const rows = await tx.query<{ account_id: string }>(
    `select account_id from account_closures where erase_at <= $1 or erasing_at is not null order by erase_at`,
    [at],
  );
  return rows.map((row) => row.account_id);
}
