-- One row a request that was made with a key or by a signed-in user. Nothing of its body or query.
create table activity_log (
  id uuid primary key,
  account_id uuid not null,
  mode text not null check (mode in ('test', 'live')),
  -- When it was over.
  at timestamptz not null,
  method text not null,
  -- The route's pattern.
  route text not null,
  status smallint not null,
  duration_ms real not null,
  -- Who made it: one of the two.
  key_id uuid,
  user_id uuid,
  ip inet,
  user_agent text,
  request_id text not null,
  error_code text
) partition by range (id);
create index on activity_log (account_id, mode, id);
create index on activity_log (account_id, mode, coalesce(key_id, user_id), id);
create index on activity_log (account_id, mode, route, id);
create index on activity_log (account_id, mode, status, id) where status >= 400;
create index on activity_log (account_id, mode, error_code, id) where error_code is not null;
-- A hash, because ids of requests are long, and equality is all that is asked of them.
create index on activity_log using hash (request_id);
call app.protect('activity_log', 'account_id', 'select');
call app.grow('activity_log', 90);

-- What was used, counted: API requests by their answer's status, messages by the statuses that they came to (once
-- each). Every count is kept five times, by stretches of UTC of 15, 30, 60, 360 and 1440 minutes, so that any range, in
-- whatever time zone, is put together from a few.
create table usage_counts (
  account_id uuid not null,
  mode text not null check (mode in ('test', 'live')),
  metric text not null check (metric in ('requests', 'messages')),
  -- Length of the stretch.
  minutes smallint not null check (minutes in (15, 30, 60, 360, 1440)),
  start timestamptz not null,
  session_id uuid,
  key_id uuid,
  user_id uuid,
  status text not null,
  count bigint not null
) with (fillfactor = 80);
create unique index usage_counts_key on usage_counts
  (account_id, mode, metric, minutes, start, session_id, key_id, user_id, status) nulls not distinct;
call app.protect('usage_counts', 'account_id', 'select');

-- The last fact that an account's messages have been counted up to.
create table usage_cursors (
  account_id uuid not null,
  mode text not null check (mode in ('test', 'live')),
  txid xid8 not null default '0',
  event_id uuid not null default '00000000-0000-0000-0000-000000000000',
  primary key (account_id, mode)
);
call app.protect('usage_cursors', 'account_id', '');

-- When the job that counts messages last began a run that it finished. One row.
create table app.usage_progress (
  only_row boolean primary key default true check (only_row),
  counted_at timestamptz not null
);
alter table app.usage_progress enable row level security;
alter table app.usage_progress force row level security;
create policy system_scope on app.usage_progress to service_role using (true) with check (true);
grant select, insert, update on app.usage_progress to service_role;

-- The stretches of each length that an instant is in.
create function app.usage_stretches(at timestamptz) returns table (minutes smallint, start timestamptz)
  language sql immutable
  as $$
    select w.minutes::smallint, date_bin(make_interval(mins => w.minutes), $1, '2000-01-01 00:00Z')
    from (values (15), (30), (60), (360), (1440)) as w (minutes)
  $$;

-- The hours, days or months of a time zone that a range touches, the first and last cut to the range. Days and months go
-- by the wall clock, so that a day in which it is changed has 23 or 25 hours.
create function app.usage_buckets(since timestamptz, until timestamptz, bucket text, zone text)
  returns table (starts timestamptz, ends timestamptz)
  language sql stable
  as $$
    select greatest(t, $1), least(t + interval '1 hour', $2)
    from generate_series(date_trunc('hour', $1, $4), $2 - interval '1 microsecond', interval '1 hour') as t
    where $3 = 'hour'
    union all
    select greatest(t at time zone $4, $1), least((t + ('1 ' || $3)::interval) at time zone $4, $2)
    from generate_series(date_trunc($3, $1 at time zone $4), ($2 - interval '1 microsecond') at time zone $4,
      ('1 ' || $3)::interval) as t
    where $3 <> 'hour'
    order by 1
  $$;
