-- What to do when somebody writes a phrase.
create table triggers (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  name text not null,
  -- Null means all sessions.
  session_ids uuid[],
  match text not null check (match in ('exact', 'starts_with', 'contains', 'regex', 'any')),
  pattern text,
  fold_case boolean not null default true,
  fold_accents boolean not null default true,
  -- With {{variables}}; null raises the event alone.
  reply text,
  reply_url text,
  -- Signs the question to `reply_url`; sealed.
  secret bytea,
  fallback_reply text,
  -- Higher is asked first; the first that matches fires.
  priority integer not null default 0,
  cooldown_seconds integer not null default 0,
  -- {"time_zone", "days": [1..7], "from": "09:00", "to": "18:00"}; null means always.
  active_hours jsonb,
  include_groups boolean not null default false,
  -- Most automated replies to one sender in a row.
  max_in_a_row smallint not null default 5,
  enabled boolean not null default true,
  fired_count bigint not null default 0,
  last_fired_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index on triggers (account_id, mode, id);
call app.protect('triggers', 'account_id', 'select, insert, update, delete');

-- Per trigger and sender: when it last fired, for the cool-down.
create table trigger_senders (
  trigger_id uuid not null references triggers on delete cascade,
  account_id uuid not null,
  mode text not null check (mode in ('test', 'live')),
  -- Digits of the number, or the LID where the number is not known.
  contact text not null,
  last_fired_at timestamptz not null,
  primary key (trigger_id, contact)
);
create index on trigger_senders (last_fired_at);
call app.protect('trigger_senders', 'account_id', 'select, insert, update');

-- Received messages that triggers have still to look at, written with the message itself. A row lives until its trigger
-- fired or none matched.
create table trigger_checks (
  message_id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  session_id uuid not null,
  created_at timestamptz not null default now(),
  claimed_until timestamptz,
  attempts smallint not null default 0
);
create index on trigger_checks (account_id, mode, message_id);
call app.protect('trigger_checks', 'account_id', 'select, insert, update, delete');

-- A message that a trigger wrote.
alter table messages add column automated boolean not null default false, add column trigger_id uuid;
