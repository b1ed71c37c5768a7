-- A UUIDv7 of now, for rows that SQL makes by itself; microseconds keep those of one millisecond in order.
create function app.new_uuid() returns uuid
  language sql volatile
  return (
    select (lpad(to_hex(us / 1000), 12, '0') || '7' || lpad(to_hex(us % 1000 * 4096 / 1000), 3, '0')
      || right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid
    from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as us) as now
  );

-- Where a customer wants events sent.
create table webhook_endpoints (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  url text not null,
  description text,
  -- Names of events, `*`, or prefixes such as `message.*`.
  events text[] not null,
  -- Only events of these sessions; null means all of them, and events that belong to none.
  session_ids uuid[],
  -- Headers of the customer's own as a JSON object, sealed: they may hold credentials.
  headers bytea,
  -- `whsec_…`, sealed. The previous one signs beside it until its time is over.
  secret bytea not null,
  previous_secret bytea,
  previous_secret_until timestamptz,
  enabled boolean not null default true,
  -- Why Pingr itself switched it off; null where the customer did.
  disabled_reason text check (disabled_reason in ('gone', 'failing')),
  disabled_at timestamptz,
  -- Since when no attempt has succeeded.
  failing_since timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index on webhook_endpoints (account_id, mode, id);
call app.protect('webhook_endpoints', 'account_id', 'select, insert, update, delete');

-- One event for one endpoint: the truth that workers deliver from. Kept by a UUIDv7 of its own, so that a purge drops weeks.
create table webhook_deliveries (
  id uuid primary key,
  account_id uuid not null,
  mode text not null check (mode in ('test', 'live')),
  endpoint_id uuid not null,
  event_id uuid not null,
  event_type text not null,
  event_at timestamptz not null,
  session_id uuid,
  message_id uuid,
  -- Place among the deliveries of one message: a later status is not sent before an earlier one has been tried.
  rank smallint not null default 0,
  -- The event is no fact but a sample that the customer asked for.
  sample boolean not null default false,
  status text not null default 'pending' check (status in ('pending', 'sending', 'delivered', 'failed', 'cancelled')),
  -- All attempts so far, and those since the schedule began or was begun again by a replay.
  attempts smallint not null default 0,
  tries smallint not null default 0,
  next_attempt_at timestamptz default now(),
  finished_at timestamptz,
  last_status_code smallint,
  last_error text,
  created_at timestamptz not null default now()
) partition by range (id);
create index on webhook_deliveries (endpoint_id, next_attempt_at, id) where status = 'pending';
create index on webhook_deliveries (endpoint_id, message_id, rank, id) where message_id is not null and status in ('pending', 'sending');
create index on webhook_deliveries (endpoint_id) where status = 'sending';
-- Dead letters, which are counted, listed and replayed.
create index on webhook_deliveries (endpoint_id, id) where status = 'failed';
create index on webhook_deliveries (account_id, mode, endpoint_id, id);
create index on webhook_deliveries (event_id);
call app.protect('webhook_deliveries', 'account_id', 'select, insert, update');

-- Every try. Written before the request leaves, so that a kill leaves a trace; `outcome` is null while it runs.
create table webhook_attempts (
  id uuid primary key,
  account_id uuid not null,
  mode text not null check (mode in ('test', 'live')),
  delivery_id uuid not null,
  endpoint_id uuid not null,
  number smallint not null,
  started_at timestamptz not null,
  outcome text check (outcome in ('succeeded', 'failed', 'interrupted')),
  duration_ms integer,
  status_code smallint,
  -- Stable word for what went wrong (`timeout`, `blocked_address`, `status`, …).
  error text,
  -- First 4 KB of the response's body, sealed.
  response bytea
) partition by range (id);
create index on webhook_attempts (delivery_id, number);
create index on webhook_attempts (endpoint_id) where outcome is null;
call app.protect('webhook_attempts', 'account_id', 'select');

-- Which worker delivers to an endpoint: a lease like a session's, raised at every take.
create table webhook_lanes (
  endpoint_id uuid primary key references webhook_endpoints on delete cascade,
  account_id uuid not null,
  mode text not null check (mode in ('test', 'live')),
  owner uuid,
  epoch bigint not null default 0,
  expires_at timestamptz,
  -- The receiver asked for rest (Retry-After).
  paused_until timestamptz
);
create index on webhook_lanes (owner) where owner is not null;
call app.protect('webhook_lanes', 'account_id', '');

call app.make_partitions('webhook_deliveries', current_date - 7, current_date + 28);
call app.make_partitions('webhook_attempts', current_date - 7, current_date + 28);
create table webhook_deliveries_default partition of webhook_deliveries default;
create table webhook_attempts_default partition of webhook_attempts default;
alter table webhook_deliveries_default enable row level security;
alter table webhook_deliveries_default force row level security;
alter table webhook_attempts_default enable row level security;
alter table webhook_attempts_default force row level security;
revoke all on webhook_deliveries_default, webhook_attempts_default from public, anon, authenticated;

-- Whether an endpoint's list of events names this one.
create function app.wants_event(wanted text[], type text) returns boolean
  language sql immutable parallel safe
  return '*' = any(wanted) or type = any(wanted)
    or exists (select from unnest(wanted) as w where right(w, 2) = '.*' and starts_with(type, left(w, -1)));
