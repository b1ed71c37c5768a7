-- What accounts may use, what they have used, and what they pay.

-- Plans are data: an operator changes, adds or withdraws them by SQL. A null limit is none.
create table app.plans (
  id text primary key,
  -- The larger plan has the larger position: a change upwards is an upgrade, and happens at once.
  position smallint not null unique,
  name text not null,
  -- Outbound messages a month in live mode; in test mode, which never costs anything, the other figure.
  messages bigint check (messages >= 0),
  test_messages bigint not null default 1000000,
  -- What happens to messages beyond that: they are refused, or they go on and are counted.
  overage text not null default 'refuse' check (overage in ('refuse', 'allow')),
  sessions integer check (sessions >= 0),
  test_sessions integer not null default 1000,
  -- Of all API keys together; null leaves it to the configuration.
  requests_per_minute integer check (requests_per_minute > 0),
  test_requests_per_minute integer check (test_requests_per_minute > 0),
  members integer check (members > 0),
  retention_days integer,
  features text[] not null default '{}',
  trial_days smallint,
  -- Whether it can be bought.
  sold boolean not null default false
);
insert into app.plans
  (id, position, name, messages, overage, sessions, requests_per_minute, members, retention_days, features, trial_days, sold)
values
  ('free', 0, 'Free', 0, 'refuse', 1, 60, 1, 30, '{sandbox}', null, false),
  ('trial', 1, 'Trial', 1000, 'refuse', 3, 300, 3, 90, '{sandbox,webhooks,triggers}', 7, false),
  ('starter', 2, 'Starter', 10000, 'refuse', 3, 300, 3, 90, '{sandbox,webhooks,triggers}', null, true),
  ('growth', 3, 'Growth', 50000, 'refuse', 10, 1200, 10, 180, '{sandbox,webhooks,triggers,campaigns}', null, true),
  ('scale', 4, 'Scale', 250000, 'allow', 50, 6000, null, 365, '{sandbox,webhooks,triggers,campaigns}', null, true),
  ('unlimited', 5, 'Unlimited', null, 'allow', null, null, null, null, '{sandbox,webhooks,triggers,campaigns}', null, false);

-- In minor units of the currency (paise, cents). Providers keep a price for ever, so a change of price is a new one there.
create table app.plan_prices (
  plan text not null references app.plans,
  interval text not null check (interval in ('month', 'year')),
  currency text not null check (currency in ('INR', 'USD')),
  amount bigint not null check (amount > 0),
  primary key (plan, interval, currency)
);
insert into app.plan_prices values
  ('starter', 'month', 'INR', 149900), ('starter', 'month', 'USD', 1900),
  ('starter', 'year', 'INR', 1499000), ('starter', 'year', 'USD', 19000),
  ('growth', 'month', 'INR', 399900), ('growth', 'month', 'USD', 4900),
  ('growth', 'year', 'INR', 3999000), ('growth', 'year', 'USD', 49000),
  ('scale', 'month', 'INR', 1499900), ('scale', 'month', 'USD', 19900),
  ('scale', 'year', 'INR', 14999000), ('scale', 'year', 'USD', 199000);

-- The provider's id of a price, in the merchant account that it was made in.
create table app.provider_prices (
  provider text not null check (provider in ('stripe', 'razorpay')),
  merchant text not null,
  plan text not null references app.plans,
  interval text not null check (interval in ('month', 'year')),
  currency text not null,
  amount bigint not null,
  provider_price_id text not null,
  primary key (provider, merchant, plan, interval, currency, amount),
  unique (provider, merchant, provider_price_id)
);

-- The plan of those who pay nothing: `trial` (then `free`) where Pingr is sold, `unlimited` where a team runs its own.
create table app.billing_settings (
  -- True in the one row that counts.
  one boolean primary key default true,
  base_plan text not null references app.plans default 'trial'
);
insert into app.billing_settings default values;

do $$
declare
  name text;
begin
  foreach name in array array['plans', 'plan_prices', 'provider_prices', 'billing_settings'] loop
    execute format('alter table app.%I enable row level security', name);
    execute format('alter table app.%I force row level security', name);
    execute format('create policy system_scope on app.%I to service_role using (true) with check (true)', name);
    execute format('grant select, insert, update, delete on app.%I to service_role', name);
  end loop;
end $$;
create policy account_scope on app.plans for select to pingr_account using (true);
create policy account_scope on app.plan_prices for select to pingr_account using (true);
grant select on app.plans, app.plan_prices to pingr_account;

-- What an account is entitled to, as it follows from its trial and from what providers say (provider_subscriptions).
create table subscriptions (
  account_id uuid primary key references accounts on delete cascade,
  plan text not null references app.plans,
  status text not null check (status in ('trialing', 'active', 'past_due', 'halted', 'cancelled', 'free')),
  trial_ends_at timestamptz,
  -- The provider's subscription that it comes from.
  source_id uuid,
  -- When time alone changes it next.
  next_change_at timestamptz,
  trial_mail_at timestamptz,
  updated_at timestamptz not null default now()
);
create index on subscriptions (next_change_at) where next_change_at is not null;
call app.protect('subscriptions', 'account_id', 'select');

-- Subscriptions and one-off payments at the providers, as these last described them. Provider ids only, never a card.
create table provider_subscriptions (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  provider text not null check (provider in ('stripe', 'razorpay')),
  provider_subscription_id text not null,
  provider_customer_id text,
  plan text not null references app.plans,
  interval text not null check (interval in ('month', 'year')),
  currency text not null,
  amount bigint not null,
  status text not null check (status in ('incomplete', 'active', 'past_due', 'halted', 'cancelled', 'expired')),
  -- False for a payment link, which pays one period.
  renews boolean not null,
  current_start timestamptz,
  current_end timestamptz,
  cancel_at_period_end boolean not null default false,
  -- Asked of a provider that does not say it again.
  cancel_asked boolean not null default false,
  scheduled_plan text references app.plans,
  scheduled_interval text check (scheduled_interval in ('month', 'year')),
  ended_at timestamptz,
  past_due_since timestamptz,
  checkout_url text,
  -- Every look at the provider takes a ticket first; what it saw counts unless a later look was written already.
  tickets bigint not null default 0,
  ticket bigint not null default 0,
  created_at timestamptz not null default now(),
  looked_at timestamptz not null default now(),
  unique (provider, provider_subscription_id)
);
create index on provider_subscriptions (account_id, id);
create index on provider_subscriptions (looked_at) where status not in ('cancelled', 'expired');
call app.protect('provider_subscriptions', 'account_id', 'select, insert, update');

create table billing_customers (
  account_id uuid not null references accounts on delete cascade,
  provider text not null check (provider in ('stripe', 'razorpay')),
  merchant text not null,
  provider_customer_id text not null,
  primary key (account_id, provider, merchant)
);
call app.protect('billing_customers', 'account_id', 'select, insert');

create table invoices (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  provider text not null check (provider in ('stripe', 'razorpay')),
  provider_invoice_id text not null,
  provider_subscription_id text,
  provider_payment_id text,
  number text not null,
  status text not null check (status in ('open', 'paid', 'void', 'failed')),
  amount bigint not null,
  currency text not null,
  plan text,
  period_start timestamptz,
  period_end timestamptz,
  issued_at timestamptz not null,
  paid_at timestamptz,
  url text,
  unique (provider, provider_invoice_id)
);
create index on invoices (account_id, id);
call app.protect('invoices', 'account_id', 'select');

-- Webhooks of the providers, each once. What they say is only a hint to look: the ids to look at are kept, not the body.
create table payment_events (
  provider text not null check (provider in ('stripe', 'razorpay')),
  event_id text not null,
  -- Known once it was worked on.
  account_id uuid references accounts on delete cascade,
  type text not null,
  provider_subscription_id text,
  provider_invoice_id text,
  received_at timestamptz not null default now(),
  processed_at timestamptz,
  -- Why it changed nothing.
  ignored text,
  primary key (provider, event_id)
);
create index on payment_events (received_at) where processed_at is null;
create index on payment_events (received_at);
create index on payment_events (account_id);
call app.protect('payment_events', 'account_id', '');
insert into app.growing_tables (name, keep_days, time_column) values ('payment_events', 90, 'received_at');

-- How many messages an account has left in its period. `unreserved` and the credit in `message_credit` together are what
-- is left: a transaction far from the limit takes from one of 64 rows, its connection's own, and waits for nobody.
create table quotas (
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  message_limit bigint not null,
  overage text not null,
  session_limit integer,
  member_limit integer,
  -- Periods are months from here.
  anchor timestamptz not null,
  period_start timestamptz not null,
  period_end timestamptz not null,
  unreserved bigint not null,
  warned_at timestamptz,
  reached_at timestamptz,
  -- Which of the two has been mailed.
  warning_mailed_at timestamptz,
  reached_mailed_at timestamptz,
  primary key (account_id, mode)
) with (fillfactor = 50);
create index on quotas (account_id) where mode = 'live' and warned_at is not null and warning_mailed_at is null;
create index on quotas (account_id, mode) where mode = 'live' and reached_at is not null and reached_mailed_at is null;
call app.protect('quotas', 'account_id', 'select, update');

create table message_credit (
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  shard smallint not null,
  -- Credit of another period is void.
  period_end timestamptz not null,
  credit bigint not null check (credit >= 0),
  primary key (account_id, mode, shard)
) with (fillfactor = 30);
call app.protect('message_credit', 'account_id', 'select, insert, update');

-- The month, counted from the anchor, that an instant falls into.
create function app.period_of(anchor timestamptz, at timestamptz, out period_start timestamptz, out period_end timestamptz)
  language plpgsql immutable set search_path = ''
as $$
declare
  a timestamp := anchor at time zone 'UTC';
  t timestamp := at at time zone 'UTC';
  n integer := (extract(year from t) - extract(year from a)) * 12 + extract(month from t) - extract(month from a);
begin
  if a + pg_catalog.make_interval(months => n) > t then
    n := n - 1;
  end if;
  period_start := (a + pg_catalog.make_interval(months => n)) at time zone 'UTC';
  period_end := (a + pg_catalog.make_interval(months => n + 1)) at time zone 'UTC';
end $$;

-- Messages used in the period, as far as it is committed.
create function app.messages_used(q public.quotas) returns bigint
  language sql stable set search_path = ''
as $$
  select case when q.period_end <= pg_catalog.now() then 0 else q.message_limit - q.unreserved - coalesce((
    select sum(c.credit) from public.message_credit c
    where c.account_id = q.account_id and c.mode = q.mode and c.period_end = q.period_end), 0)::bigint end
$$;

-- Takes back the credit that connections hold. The caller holds the lock on the quota. Credit that others are taking this
-- very moment is waited for (`patient`) without a lock, since they may be waiting for the caller's.
create function app.gather_credit(q public.quotas, patient boolean) returns bigint
  language plpgsql set search_path = ''
as $$
declare
  gathered bigint := 0;
  part bigint;
begin
  for attempt in 1..200 loop
    with free as (
      select c.shard, c.credit from public.message_credit c
      where c.account_id = q.account_id and c.mode = q.mode and c.period_end = q.period_end and c.credit > 0
      for update skip locked
    ), emptied as (
      update public.message_credit c set credit = 0 from free
      where c.account_id = q.account_id and c.mode = q.mode and c.shard = free.shard
      returning free.credit
    ) select coalesce(sum(emptied.credit), 0) into part from emptied;
    gathered := gathered + part;
    exit when not patient or not exists (
      select from public.message_credit c
      where c.account_id = q.account_id and c.mode = q.mode and c.period_end = q.period_end and c.credit > 0);
    perform pg_catalog.pg_sleep(0.002);
  end loop;
  return gathered;
end $$;

-- Begins a new month where the last one is over.
create function app.current_quota(q public.quotas) returns public.quotas
  language plpgsql set search_path = ''
as $$
begin
  if q.period_end <= pg_catalog.now() then
    select p.period_start, p.period_end into q.period_start, q.period_end from app.period_of(q.anchor, pg_catalog.now()) p;
    q.unreserved := q.message_limit;
    q.warned_at := null;
    q.reached_at := null;
    q.warning_mailed_at := null;
    q.reached_mailed_at := null;
  end if;
  return q;
end $$;

-- Notes that 80 % or all of a quota are used, as a fact, once a period.
create function app.mark_quota(q public.quotas) returns public.quotas
  language plpgsql set search_path = ''
as $$
declare
  used bigint;
  mark record;
begin
  -- The upper bound first, which costs nothing.
  if q.message_limit <= 0 or q.reached_at is not null
      or (q.message_limit - q.unreserved) * 5 < q.message_limit * 4 then
    return q;
  end if;
  used := app.messages_used(q);
  for mark in
    select 'quota.warning' as type where used * 5 >= q.message_limit * 4 and q.warned_at is null
    union all select 'quota.reached' where used >= q.message_limit
  loop
    perform app.announce(app.new_uuid(), q.account_id, q.mode, mark.type, null, null, pg_catalog.jsonb_build_object(
      'unit', 'messages', 'limit', q.message_limit, 'used', used,
      'period_start', q.period_start, 'period_end', q.period_end), pg_catalog.now());
  end loop;
  if used * 5 >= q.message_limit * 4 then
    q.warned_at := coalesce(q.warned_at, pg_catalog.now());
  end if;
  if used >= q.message_limit then
    q.reached_at := pg_catalog.now();
  end if;
  return q;
end $$;

-- Takes one message of the account's quota, in the transaction that stores the message: both happen or neither. Exact
-- under any concurrency. False where nothing is left.
create function app.take_message(account uuid, of_mode text) returns boolean
  language plpgsql set search_path = ''
as $$
declare
  own smallint := pg_catalog.pg_backend_pid() % 64;
  q public.quotas;
  chunk bigint;
begin
  update public.message_credit c set credit = c.credit - 1
    where c.account_id = account and c.mode = of_mode and c.shard = own and c.credit > 0 and c.period_end > pg_catalog.now();
  if found then
    return true;
  end if;

  select * into q from public.quotas where quotas.account_id = account and quotas.mode = of_mode for update;
  if not found then
    raise exception 'no quota of account % in this scope', account using errcode = '42501';
  end if;
  q := app.current_quota(q);
  -- Near the limit nobody holds credit, so that all count in this row.
  if q.unreserved <= 4096 and q.reached_at is null then
    q.unreserved := q.unreserved + app.gather_credit(q, q.unreserved <= 0);
  end if;
  if q.unreserved <= 0 and q.overage = 'refuse' then
    return false;
  end if;

  chunk := case when q.unreserved > 4096 then least(q.unreserved / 256, 1000000)
    when q.unreserved <= 0 and q.reached_at is not null then 256 else 1 end;
  if chunk > 1 then
    insert into public.message_credit (account_id, mode, shard, period_end, credit)
      values (account, of_mode, own, q.period_end, 0) on conflict do nothing;
    -- Held by another connection of the same row: then without it, for that one may be waiting for this quota.
    perform from public.message_credit c
      where c.account_id = account and c.mode = of_mode and c.shard = own for update skip locked;
    if found then
      update public.message_credit c set period_end = q.period_end,
          credit = case when c.period_end = q.period_end then c.credit else 0 end + chunk - 1
        where c.account_id = account and c.mode = of_mode and c.shard = own;
    else
      chunk := 1;
    end if;
  end if;
  q.unreserved := q.unreserved - chunk;
  q := app.mark_quota(q);
  update public.quotas set unreserved = q.unreserved, period_start = q.period_start, period_end = q.period_end,
      warned_at = q.warned_at, reached_at = q.reached_at,
      warning_mailed_at = q.warning_mailed_at, reached_mailed_at = q.reached_mailed_at
    where quotas.account_id = account and quotas.mode = of_mode;
  return true;
end $$;

-- Accepts one outbound message: idempotency record, session, quoted message, quota, the message and its fact, in one
-- statement, which the API runs in the account's scope, and a worker in the transaction in which a trigger fires.
-- `outcome` says what happened; only `accepted` stored anything.
create or replace function app.accept_message(
  p_id uuid, p_event_id uuid, p_account_id uuid, p_mode text, p_session_id uuid, p_to text, p_type text, p_content bytea,
  p_context_id uuid, p_wire_id text, p_at timestamptz,
  p_key text, p_request_hash bytea, p_answer_status smallint, p_answer bytea,
  p_automated boolean, p_trigger_id uuid,
  out outcome text, out owner uuid, out status text, out answer_status smallint, out answer bytea
) language plpgsql set search_path = ''
as $$
declare
  session public.sessions;
  quoted_wire_id text;
  stored public.idempotency_keys;
  message public.messages;
begin
  if p_key is not null then
    insert into public.idempotency_keys as k (account_id, mode, key, request_hash, status, response)
      values (p_account_id, p_mode, p_key, p_request_hash, p_answer_status, p_answer)
      on conflict (account_id, mode, key) do update
        set request_hash = excluded.request_hash, status = excluded.status, response = excluded.response, created_at = now()
        where k.created_at < now() - interval '24 hours';
    if not found then
      select * into stored from public.idempotency_keys k
        where k.account_id = p_account_id and k.mode = p_mode and k.key = p_key;
      outcome := case when stored.request_hash <> p_request_hash then 'key_reused'
        when stored.status is null then 'in_progress' else 'replayed' end;
      answer_status := stored.status;
      answer := stored.response;
      return;
    end if;
  end if;

  select * into session from public.sessions s where s.id = p_session_id and s.desired <> 'deleted';
  outcome := case
    when session.id is null then 'session_not_found'
    when session.phone is null or session.desired <> 'running'
      or session.status not in ('starting', 'connecting', 'connected', 'disconnected') then 'session_not_linked' end;
  status := session.status;
  if outcome is null and p_context_id is not null then
    select m.wire_id into quoted_wire_id from public.messages m where m.id = p_context_id and m.session_id = p_session_id;
    if quoted_wire_id is null then
      outcome := 'context_not_found';
    end if;
  end if;
  if outcome is null and not app.take_message(p_account_id, p_mode) then
    outcome := 'quota_reached';
  end if;
  if outcome is not null then
    delete from public.idempotency_keys k where k.account_id = p_account_id and k.mode = p_mode and k.key = p_key;
    return;
  end if;

  insert into public.messages (id, account_id, mode, session_id, direction, contact_phone, type, content,
      context_message_id, context_wire_id, wire_id, status, accepted_at, automated, trigger_id)
    values (p_id, p_account_id, p_mode, p_session_id, 'outbound', p_to, p_type, p_content,
      p_context_id, quoted_wire_id, p_wire_id, 'queued', p_at, p_automated, p_trigger_id)
    returning * into message;
  perform app.announce(p_event_id, p_account_id, p_mode, 'message.queued', p_session_id, p_id,
    app.message_snapshot(message), p_at);
  select l.owner into owner from public.session_leases l where l.session_id = p_session_id and l.expires_at > now();
  outcome := 'accepted';
end $$;

create function app.count_session() returns trigger
  language plpgsql set search_path = ''
as $$
declare
  most integer;
begin
  select q.session_limit into most from public.quotas q
    where q.account_id = new.account_id and q.mode = new.mode for update;
  if most <= (select count(*) from public.sessions s
      where s.account_id = new.account_id and s.mode = new.mode and s.desired <> 'deleted') then
    raise exception 'the plan allows no more sessions' using errcode = 'PQ403',
      detail = pg_catalog.jsonb_build_object('limit', most)::text;
  end if;
  return new;
end $$;
create trigger count_session before insert on sessions for each row execute function app.count_session();

create function app.count_member() returns trigger
  language plpgsql set search_path = ''
as $$
declare
  most integer;
begin
  select q.member_limit into most from public.quotas q
    where q.account_id = new.account_id and q.mode = 'live' for update;
  if most <= (select count(*) from public.members m where m.account_id = new.account_id) then
    raise exception 'the plan allows no more members' using errcode = 'PQ404',
      detail = pg_catalog.jsonb_build_object('limit', most)::text;
  end if;
  return new;
end $$;
do $$
begin
  if to_regclass('public.members') is not null then
    create trigger count_member before insert on public.members for each row execute function app.count_member();
  end if;
end $$;

-- Puts an account's quotas on a plan. Within a period what was used stays used; a new anchor (null: as it was) begins a
-- new period, with everything unused. No limit is a very large one, so that use is still counted.
create function app.apply_plan(account uuid, plan_id text, new_anchor timestamptz) returns void
  language plpgsql set search_path = ''
as $$
declare
  wanted record;
  month record;
  q public.quotas;
begin
  for wanted in
    select m.mode, coalesce(case m.mode when 'live' then p.messages else p.test_messages end, 1000000000000) as messages,
      case m.mode when 'live' then p.overage else 'refuse' end as overage,
      case m.mode when 'live' then p.sessions else p.test_sessions end as sessions, p.members
    from app.plans p cross join (values ('live'), ('test')) as m (mode) where p.id = plan_id
  loop
    select * into q from public.quotas where quotas.account_id = account and quotas.mode = wanted.mode for update;
    if not found then
      insert into public.quotas (account_id, mode, message_limit, overage, session_limit, member_limit,
          anchor, period_start, period_end, unreserved)
        select account, wanted.mode, wanted.messages, wanted.overage, wanted.sessions, wanted.members,
          new_anchor, p.period_start, p.period_end, wanted.messages
        from app.period_of(new_anchor, pg_catalog.now()) p
        on conflict do nothing;
      continue;
    end if;
    q := app.current_quota(q);
    q.unreserved := q.unreserved + app.gather_credit(q, true) + wanted.messages - q.message_limit;
    q.message_limit := wanted.messages;
    -- Test mode has its own months: paying does not begin one. News of a month that has begun here already changes nothing.
    if wanted.mode = 'live' and new_anchor <> q.anchor then
      select * into month from app.period_of(new_anchor, pg_catalog.now());
      if abs(extract(epoch from month.period_start - q.period_start)) > 3600 then
        q.unreserved := q.message_limit;
      end if;
      q.anchor := new_anchor;
      q.period_start := month.period_start;
      q.period_end := month.period_end;
    end if;
    if app.messages_used(q) < q.message_limit then
      q.reached_at := null;
      q.reached_mailed_at := null;
    end if;
    if app.messages_used(q) * 5 < q.message_limit * 4 then
      q.warned_at := null;
      q.warning_mailed_at := null;
    end if;
    update public.quotas set message_limit = q.message_limit, overage = wanted.overage, session_limit = wanted.sessions,
        member_limit = wanted.members, anchor = q.anchor, period_start = q.period_start, period_end = q.period_end,
        unreserved = q.unreserved, warned_at = q.warned_at, reached_at = q.reached_at,
        warning_mailed_at = q.warning_mailed_at, reached_mailed_at = q.reached_mailed_at
      where quotas.account_id = account and quotas.mode = wanted.mode;
  end loop;
end $$;

-- Every account has a subscription and quotas from its first moment.
create function app.open_billing(account uuid) returns void
  language plpgsql set search_path = ''
as $$
declare
  base record;
begin
  select p.* into base from app.billing_settings s join app.plans p on p.id = s.base_plan where s.one;
  insert into public.subscriptions (account_id, plan, status, trial_ends_at, next_change_at)
    select account, base.id, case when base.trial_days is null then 'free' else 'trialing' end, t.ends, t.ends
    from (select pg_catalog.now() + pg_catalog.make_interval(days => base.trial_days) as ends) t;
  perform app.apply_plan(account, base.id, pg_catalog.now());
end $$;

create function app.open_billing() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  perform app.open_billing(new.id);
  return null;
end $$;
create trigger open_billing after insert on accounts for each row execute function app.open_billing();
revoke all on function app.open_billing(uuid), app.apply_plan(uuid, text, timestamptz) from public;
grant execute on function app.open_billing(uuid), app.apply_plan(uuid, text, timestamptz) to service_role;

do $$
begin
  perform set_config('role', 'service_role', true);
  perform app.open_billing(id) from accounts;
  perform set_config('role', 'none', true);
end $$;

