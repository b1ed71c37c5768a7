create table accounts (
  id uuid primary key,
  name text not null,
  created_at timestamptz not null default now()
);
call app.protect('accounts', 'id', 'select, update (name)');

-- The account's data key, wrapped by the master key. Erasing an account destroys this row first.
create table account_data_keys (
  account_id uuid primary key references accounts on delete cascade,
  wrapped_key bytea not null,
  created_at timestamptz not null default now()
);
call app.protect('account_data_keys', 'account_id', '');

create table api_keys (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  name text not null,
  -- HMAC-SHA-256 of the whole key under the server's pepper.
  hash bytea not null unique,
  -- First characters of the key, enough to recognise it in a list.
  hint text not null,
  scopes text[] not null,
  allowed_ips cidr[],
  expires_at timestamptz,
  revoked_at timestamptz,
  rotated_to uuid references api_keys on delete set null,
  last_used_at timestamptz,
  created_at timestamptz not null default now()
);
create index on api_keys (account_id, id);
call app.protect('api_keys', 'account_id', 'select, insert, update');

-- One row a request that carried an Idempotency-Key; `response` is sealed under the account's data key.
create table idempotency_keys (
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  key text not null,
  request_hash bytea not null,
  status smallint,
  response bytea,
  created_at timestamptz not null default now(),
  primary key (account_id, mode, key)
);
create index on idempotency_keys (created_at);
call app.protect('idempotency_keys', 'account_id', 'select, insert, update, delete');

-- Counters of rate-limiter-flexible. Losing them in a crash only forgives some requests, so no WAL.
create unlogged table app.rate_limits (
  key text primary key,
  points integer not null default 0,
  expire bigint
);
grant select, insert, update, delete on app.rate_limits to pingr_app, service_role;
