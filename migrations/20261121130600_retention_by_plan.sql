-- Contents are kept for as long as the account wants, and no longer than its plan has them kept.
create or replace function app.kept_content_days(account uuid) returns integer
  language sql stable set search_path = ''
as $$
  select least(a.content_days, p.retention_days)::integer
  from public.accounts a
  left join public.subscriptions s on s.account_id = a.id
  left join app.plans p on p.id = s.plan
  where a.id = account
$$;

-- What the account's plan allows; null for any number of days.
create function app.most_content_days(account uuid) returns integer
  language sql stable set search_path = ''
as $$
  select p.retention_days from public.subscriptions s join app.plans p on p.id = s.plan where s.account_id = account
$$;
revoke all on function app.most_content_days(uuid) from public;
grant execute on function app.most_content_days(uuid) to service_role, pingr_account;
