-- A smaller plan may keep contents for less time. What the account has by then stays for 30 days more, so that nobody
-- loses it by a payment that failed or a plan that was chosen by mistake.
alter table subscriptions
  add column content_grace_days smallint,
  add column content_grace_until timestamptz,
  -- Nobody was written to about it yet.
  add column content_grace_mail_due boolean not null default false;
create index on subscriptions (account_id) where content_grace_mail_due;

create or replace function app.kept_content_days(account uuid) returns integer
  language sql stable set search_path = ''
as $$
  select least(
    a.content_days,
    case when s.content_grace_until > now() then greatest(p.retention_days, s.content_grace_days) else p.retention_days end
  )::integer
  from public.accounts a
  left join public.subscriptions s on s.account_id = a.id
  left join app.plans p on p.id = s.plan
  where a.id = account
$$;

create function app.grant_content_grace() returns trigger
  language plpgsql set search_path = ''
as $$
declare
  kept integer := app.kept_content_days(new.account_id);
  next integer := (
    select least(a.content_days, p.retention_days) from public.accounts a, app.plans p
    where a.id = new.account_id and p.id = new.plan);
begin
  -- A trial is shorter than any plan keeps contents.
  if next < kept and old.status <> 'trialing' then
    new.content_grace_days := kept;
    new.content_grace_until := now() + interval '30 days';
    new.content_grace_mail_due := true;
  else
    new.content_grace_days := null;
    new.content_grace_until := null;
    new.content_grace_mail_due := false;
  end if;
  return new;
end $$;
create trigger grant_content_grace before update of plan on subscriptions
  for each row when (old.plan <> new.plan) execute function app.grant_content_grace();

-- Until when what the account keeps now holds, and for how many days it keeps contents after that.
create function app.content_grace(account uuid, out until timestamptz, out days_after integer)
  language sql stable set search_path = ''
as $$
  select s.content_grace_until, least(a.content_days, p.retention_days)::integer
  from public.subscriptions s join public.accounts a on a.id = s.account_id join app.plans p on p.id = s.plan
  where s.account_id = account and s.content_grace_until > now()
    and least(a.content_days, p.retention_days) < app.kept_content_days(account)
$$;
revoke all on function app.content_grace(uuid) from public;
grant execute on function app.content_grace(uuid) to service_role, pingr_account;
