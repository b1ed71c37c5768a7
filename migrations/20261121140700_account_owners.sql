-- Whose account it becomes that an operator made before its owner had signed in. Apart from `email`, which keys may
-- change: whoever may write to an account must not thereby decide who owns it.
alter table accounts add column claimable_by text check (claimable_by = lower(claimable_by));
create index on accounts (claimable_by) where claimable_by is not null;
drop index accounts_lower_idx;

create policy owner_scope on accounts to current_user using (true) with check (true);
create policy owner_scope on audit_log for select to current_user using (true);
create policy owner_scope on account_closures for select to current_user using (true);

-- Addresses that were there from the beginning; one that was changed since may be anybody's.
update accounts a set claimable_by = lower(a.email)
where a.email is not null
  and not exists (select from members m where m.account_id = a.id)
  and not exists (
    select from audit_log l where l.account_id = a.id and l.target_type = 'accounts' and 'email' = any(l.changed));

-- The account's address beside its owners' is that of its first owner until somebody changes it. Owners who are none any
-- more hear nothing more of the account.
update accounts a set email = null
where a.email is not null
  and exists (select from members m where m.account_id = a.id)
  and not exists (
    select from members m join users u on u.id = m.user_id
    where m.account_id = a.id and m.role = 'owner' and u.email = lower(a.email))
  and not exists (
    select from audit_log l where l.account_id = a.id and l.target_type = 'accounts' and 'email' = any(l.changed));
drop policy owner_scope on audit_log;

-- Runs before `forget_user`, in the order of their names, and so while the user is still known.
create function app.forget_address() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  if tg_op = 'DELETE' or (old.role = 'owner' and new.role <> 'owner') then
    update public.accounts a set email = null from public.users u
    where a.id = old.account_id and u.id = old.user_id and lower(a.email) = u.email
      and not exists (
        select from public.account_closures c where c.account_id = a.id and c.erasing_at is not null);
  end if;
  return null;
end $$;
create trigger forget_address after delete or update of role on members
  for each row execute function app.forget_address();
revoke all on function app.forget_address() from public;

-- Whom to write to about an account: its owners, and its own address where that is another. `user_id` is null for the
-- latter.
create function app.written_to(account uuid) returns table (email text, user_id uuid)
  language sql stable set search_path = ''
as $$
  select distinct on (pg_catalog.lower(w.email)) w.email, w.user_id from (
    select u.email, u.id as user_id from public.members m join public.users u on u.id = m.user_id
    where m.account_id = account and m.role = 'owner'
    union all
    select a.email, null from public.accounts a where a.id = account and a.email is not null
  ) w order by pg_catalog.lower(w.email), w.user_id nulls last
$$;
revoke all on function app.written_to(uuid) from public;
grant execute on function app.written_to(uuid) to service_role, pingr_account;
