-- A smaller plan may keep contents for less time. What the account has by then stays for 30 days more, so that nobody
-- loses it by a payment that failed or a plan that was chosen by mistake. One row for each change to a smaller plan.
create table app.content_graces (
  account_id uuid not null references public.accounts on delete cascade,
  until timestamptz not null,
  -- For how long the plan before kept contents.
  days integer not null check (days > 0),
  -- When the account was written to about it.
  mailed_at timestamptz,
  primary key (account_id, until)
);
create index on app.content_graces (account_id) where mailed_at is null;
call app.protect('app.content_graces', 'account_id', 'select');

-- Days for which contents are kept in fact at a time: as the account wants, no longer than its plan or a grace has it.
create function app.kept_content_days_at(account uuid, at timestamptz) returns integer
  language sql stable set search_path = ''
as $$
  select least(a.content_days, case when p.retention_days is not null then greatest(p.retention_days, (
    select max(g.days) from app.content_graces g where g.account_id = account and g.until > at)) end)::integer
  from public.accounts a
  left join public.subscriptions s on s.account_id = a.id
  left join app.plans p on p.id = s.plan
  where a.id = account
$$;
create or replace function app.kept_content_days(account uuid) returns integer
  language sql stable set search_path = ''
as $$ select app.kept_content_days_at(account, now()) $$;

-- The next time at which the account's contents come to be kept for less, and for how many days then.
create function app.next_content_days(account uuid, out at timestamptz, out days integer)
  language sql stable set search_path = ''
as $$
  select g.until, app.kept_content_days_at(account, g.until)
  from app.content_graces g
  where g.account_id = account and g.until > now()
    and app.kept_content_days_at(account, g.until) < app.kept_content_days(account)
  order by g.until limit 1
$$;

create function app.grant_content_grace() returns trigger
  language plpgsql set search_path = ''
as $$
declare
  wanted integer := (select a.content_days from public.accounts a where a.id = new.account_id);
  before integer := (select least(wanted, p.retention_days) from app.plans p where p.id = old.plan);
  after integer := (select least(wanted, p.retention_days) from app.plans p where p.id = new.plan);
begin
  delete from app.content_graces g where g.account_id = new.account_id and g.until <= now();
  -- A trial is no plan that somebody had, and shorter than any plan keeps contents.
  if after < before and old.status <> 'trialing' then
    insert into app.content_graces (account_id, until, days)
      values (new.account_id, now() + interval '30 days', before)
      on conflict (account_id, until) do update set days = greatest(content_graces.days, excluded.days);
  end if;
  return null;
end $$;
create trigger grant_content_grace after update of plan on subscriptions
  for each row when (old.plan <> new.plan) execute function app.grant_content_grace();

revoke all on function app.kept_content_days_at(uuid, timestamptz), app.next_content_days(uuid) from public;
grant execute on function app.kept_content_days_at(uuid, timestamptz), app.next_content_days(uuid) to service_role, pingr_account;
