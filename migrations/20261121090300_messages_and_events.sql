-- Keyed and partitioned by UUIDv7, so that the id alone finds the partition and a purge drops whole weeks.
create table messages (
  id uuid primary key,
  account_id uuid not null,
  mode text not null check (mode in ('test', 'live')),
  session_id uuid not null,
  direction text not null check (direction in ('outbound', 'inbound')),
  -- The other end: digits of the number, and the LID where known.
  contact_phone text,
  contact_lid text,
  contact_name text,
  type text not null,
  -- {"text": {"body"}} and the like, sealed under the account's data key; null once retention dropped it.
  content bytea,
  context_message_id uuid,
  context_wire_id text,
  wire_id text not null,
  status text not null check (status in ('queued', 'sending', 'sent', 'delivered', 'read', 'played', 'failed', 'received')),
  error_code text,
  error_detail text,
  wire_code integer,
  attempts smallint not null default 0,
  not_before timestamptz,
  accepted_at timestamptz not null,
  sending_at timestamptz,
  sent_at timestamptz,
  delivered_at timestamptz,
  read_at timestamptz,
  played_at timestamptz,
  failed_at timestamptz
) partition by range (id);
create index on messages (account_id, mode, id);
create index on messages (session_id, wire_id);
create index on messages (session_id, id) where status in ('queued', 'sending');
create index on messages (account_id, contact_phone, id) where contact_phone is not null;
call app.protect('messages', 'account_id', 'select, insert, update');

-- Facts, in commit order: `txid` lets a reader take only transactions that can no longer be overtaken.
create table events (
  id uuid primary key,
  account_id uuid not null,
  mode text not null check (mode in ('test', 'live')),
  type text not null,
  session_id uuid,
  message_id uuid,
  -- What changed, without message content: that is read from the message when the event is shown.
  data jsonb not null,
  txid xid8 not null default pg_current_xact_id(),
  created_at timestamptz not null
) partition by range (id);
create index on events (account_id, mode, txid, id);
call app.protect('events', 'account_id', 'select, insert');

-- One person under both of WhatsApp's names, as learnt from lookups and messages.
create table contact_identities (
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  lid text not null,
  phone text not null,
  seen_at timestamptz not null default now(),
  primary key (account_id, mode, lid)
);
create index on contact_identities (account_id, mode, phone);
call app.protect('contact_identities', 'account_id', 'select, insert, update');

call app.make_partitions('messages', current_date - 7, current_date + 28);
call app.make_partitions('events', current_date - 7, current_date + 28);
create table messages_default partition of messages default;
create table events_default partition of events default;
alter table messages_default enable row level security;
alter table messages_default force row level security;
alter table events_default enable row level security;
alter table events_default force row level security;
revoke all on messages_default, events_default from public, anon, authenticated;
