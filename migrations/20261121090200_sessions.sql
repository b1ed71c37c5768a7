create table sessions (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  name text not null,
  -- What the customer asked for; the worker that owns the session works towards it.
  desired text not null default 'running' check (desired in ('running', 'logged_out', 'deleted')),
  -- Raised by "restart"; the owner reopens the socket when it differs from what it started with.
  generation integer not null default 1,
  status text not null default 'starting'
    check (status in ('starting', 'pairing', 'connecting', 'connected', 'disconnected', 'logged_out', 'banned', 'replaced', 'failed')),
  status_code text,
  status_detail text,
  status_at timestamptz not null default now(),
  phone text,
  lid text,
  device integer,
  display_name text,
  linked_at timestamptz,
  connected_at timestamptz,
  -- What is shown while pairing.
  qr text,
  qr_expires_at timestamptz,
  pairing_phone text,
  pairing_code text,
  pairing_error text,
  auto_pair boolean not null default false,
  -- {"messages_per_minute", "jitter_ms", "typing", "warm_up"}; null takes the mode's default.
  pacing jsonb,
  created_at timestamptz not null default now()
);
create index on sessions (account_id, mode, id);
call app.protect('sessions', 'account_id', 'select, insert, update');

-- Who holds the socket. Every claim raises the epoch, and every write of a lane names the epoch it holds.
create table session_leases (
  session_id uuid primary key references sessions on delete cascade,
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  owner uuid,
  epoch bigint not null default 0,
  expires_at timestamptz,
  -- False for sessions that need no socket (logged out, banned, …).
  wanted boolean not null default true,
  -- The generation of the session that the owner's socket was opened for.
  generation integer not null default 0,
  -- Reconnect back-off survives a change of owner.
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now()
);
create index on session_leases (mode, owner) where wanted;
call app.protect('session_leases', 'account_id', 'select, insert, update');

-- Worker processes, for fair shares: a worker that stops beating stops counting.
create table workers (
  id uuid primary key,
  mode text not null check (mode in ('test', 'live')),
  started_at timestamptz not null default now(),
  beat_at timestamptz not null default now(),
  leaving boolean not null default false,
  -- The worker's Prometheus metrics as JSON, shown by the API with its own.
  metrics jsonb,
  metrics_at timestamptz
);
alter table workers enable row level security;
alter table workers force row level security;
revoke all on workers from public, anon, authenticated;
create policy system_scope on workers to service_role using (true) with check (true);
grant select, insert, update, delete on workers to service_role;

-- Credentials and Signal keys, sealed under the account's data key.
create table session_credentials (
  session_id uuid primary key references sessions on delete cascade,
  account_id uuid not null references accounts on delete cascade,
  sealed bytea not null
);
call app.protect('session_credentials', 'account_id', '');

create table session_keys (
  session_id uuid not null references sessions on delete cascade,
  kind text not null,
  key_id text not null,
  account_id uuid not null references accounts on delete cascade,
  sealed bytea not null,
  primary key (session_id, kind, key_id)
);
call app.protect('session_keys', 'account_id', '');
