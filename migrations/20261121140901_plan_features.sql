-- Whether the plan of the scope's account has a feature (`webhooks`, `triggers`). Asked where live mode is given something
-- new; what an account has already goes on working on a smaller plan.
create function app.plan_has(feature text) returns boolean
  language sql stable set search_path = ''
as $$
  select coalesce((
    select feature = any(p.features) from public.subscriptions s join app.plans p on p.id = s.plan
    where s.account_id = app.account_id()), true)
$$;
revoke all on function app.plan_has(text) from public;
grant execute on function app.plan_has(text) to pingr_account;
