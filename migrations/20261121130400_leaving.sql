-- An account that its owner asked to erase. Undone until `erase_at`; afterwards, or while `erasing_at` is set, not any more.
create table account_closures (
  account_id uuid primary key references accounts on delete cascade,
  -- What is left of the closure in `app.erasures`, where no account is named.
  id uuid not null unique,
  requested_at timestamptz not null,
  erase_at timestamptz not null,
  erasing_at timestamptz,
  -- Sessions whose sockets closing closed, for undoing it. Keys need no undoing: a closed account's count for nothing.
  session_ids uuid[] not null
);
create index on account_closures (erase_at);
call app.protect('account_closures', 'account_id', 'select');

-- Whether the account is on its way out: nobody acts for it but by undoing that.
create function app.is_closed(account uuid) returns boolean
  language sql stable set search_path = ''
  as $$ select exists (select from public.account_closures c where c.account_id = account) $$;

-- Receipts of erasures: that one was asked for and done, and nothing of whom.
create table app.erasures (
  id uuid primary key,
  requested_at timestamptz not null,
  finished_at timestamptz not null default now(),
  -- Rows deleted, by table.
  deleted jsonb not null
);
alter table app.erasures enable row level security;
alter table app.erasures force row level security;
create policy system_scope on app.erasures to service_role using (true) with check (true);
grant select, insert, update, delete on app.erasures to service_role;

-- What the law keeps of an account that was erased (invoices), without names, numbers or content.
create table app.legal_records (
  id uuid primary key,
  kind text not null,
  record jsonb not null,
  keep_until timestamptz not null
);
create index on app.legal_records (keep_until);
alter table app.legal_records enable row level security;
alter table app.legal_records force row level security;
create policy system_scope on app.legal_records to service_role using (true) with check (true);
grant select, insert, update, delete on app.legal_records to service_role;

-- Columns of tables that move to `app.legal_records` before their rows are erased.
create table app.legal_tables (
  name text primary key,
  -- The columns that the law wants.
  columns text[] not null,
  keep_years integer not null check (keep_years > 0)
);
revoke all on app.legal_tables from public;
grant select on app.legal_tables to service_role;
insert into app.legal_tables values ('invoices', '{provider,provider_invoice_id,number,status,amount,currency,plan,period_start,period_end,issued_at,paid_at}', 8);

create or replace function app.begin_purge() returns uuid
  language sql volatile set search_path = ''
  as $$
    delete from app.purge_runs where started_at < pg_catalog.now() - interval '400 days';
    delete from app.legal_records where keep_until < pg_catalog.now();
    insert into app.purge_runs (id) values (app.new_uuid()) returning id
  $$;

-- Everything that an account has, in one archive.
create table account_exports (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  status text not null default 'queued' check (status in ('queued', 'running', 'ready', 'failed', 'expired')),
  -- Kinds of rows and files written so far, of how many; and rows.
  parts_done integer not null default 0,
  parts_total integer,
  rows_done bigint not null default 0,
  bytes bigint,
  created_at timestamptz not null,
  finished_at timestamptz,
  expires_at timestamptz
);
create index on account_exports (account_id, id);
create index on account_exports (expires_at) where status = 'ready';
-- One at a time.
create unique index on account_exports (account_id) where status in ('queued', 'running');
call app.protect('account_exports', 'account_id', 'select, insert');

-- Every table that holds rows of accounts, found in the catalogue, so that a new one cannot be forgotten. `indexed`: the
-- rows of an account can be found without reading the table.
create function app.account_tables() returns table (name text, target regclass, has_id boolean, indexed boolean)
  language sql stable set search_path = ''
as $$
  select case n.nspname when 'public' then c.relname::text else n.nspname || '.' || c.relname end, c.oid::regclass,
    exists (select from pg_catalog.pg_attribute i where i.attrelid = c.oid and i.attname = 'id' and not i.attisdropped),
    exists (select from pg_catalog.pg_index x where x.indrelid = c.oid and x.indkey[0] = a.attnum and x.indpred is null)
  from pg_catalog.pg_class c
  join pg_catalog.pg_namespace n on n.oid = c.relnamespace and n.nspname in ('public', 'app')
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id' and not a.attisdropped
  where c.relkind in ('r', 'p') and not c.relispartition
  order by 1
$$;

-- Copies what the law keeps; once, however often it is called.
create function app.keep_for_law(account uuid) returns void
  language plpgsql set search_path = ''
as $$
declare
  kept app.legal_tables;
begin
  for kept in select * from app.legal_tables loop
    execute pg_catalog.format(
      'insert into app.legal_records (id, kind, record, keep_until)
       select t.id, %L, (select jsonb_object_agg(e.key, e.value) from jsonb_each(to_jsonb(t)) e where e.key = any($2)),
         now() + make_interval(years => %s)
       from public.%I t where t.account_id = $1 on conflict (id) do nothing', kept.name, kept.keep_years, kept.name)
      using account, kept.columns;
  end loop;
end $$;

-- Deletes rows of a closed account, at most so many of each table. Answers how many of which table; empty once none is
-- left. The closure itself goes with the account.
create function app.erase_rows(account uuid, most integer) returns jsonb
  language plpgsql set search_path = ''
as $$
declare
  doomed record;
  gone integer;
  deleted jsonb := '{}';
begin
  if not exists (select from public.account_closures c where c.account_id = account and c.erasing_at is not null) then
    raise exception 'the account is not being erased';
  end if;
  for doomed in select * from app.account_tables() t where t.name <> 'account_closures' loop
    begin
      if not doomed.indexed then
        execute pg_catalog.format('delete from %s where account_id = $1', doomed.target) using account;
      elsif doomed.has_id then
        execute pg_catalog.format(
          'delete from %s where id = any(array(select id from %1$s where account_id = $1 limit $2))', doomed.target)
          using account, most;
      else
        execute pg_catalog.format(
          'delete from %s where ctid = any(array(select ctid from %1$s where account_id = $1 limit $2))', doomed.target)
          using account, most;
      end if;
      get diagnostics gone = row_count;
    exception when foreign_key_violation then
      -- Other tables' rows go first; this table's turn comes again.
      gone := 0;
    end;
    if gone > 0 then
      deleted := deleted || pg_catalog.jsonb_build_object(doomed.name, gone);
    end if;
  end loop;
  return deleted;
end $$;

-- Destroys the key under which the account's secrets and contents are sealed: from here on, what is left of them, also
-- in backups, cannot be read.
create function app.destroy_data_key(account uuid) returns void
  language sql volatile set search_path = ''
  as $$ delete from public.account_data_keys k where k.account_id = account $$;

-- Removes the account and its last traces, and leaves a receipt.
create function app.finish_erasure(account uuid, deleted jsonb) returns uuid
  language plpgsql set search_path = ''
as $$
declare
  closure public.account_closures;
  doomed record;
begin
  select * into strict closure from public.account_closures c where c.account_id = account and c.erasing_at is not null;
  insert into app.erasures (id, requested_at, deleted) values (closure.id, closure.requested_at, deleted);
  delete from public.accounts a where a.id = account;
  -- What the deletion itself wrote: audit rows, say.
  for doomed in select * from app.account_tables() loop
    execute pg_catalog.format('delete from %s where account_id = $1', doomed.target) using account;
  end loop;
  return closure.id;
end $$;

revoke all on function app.is_closed(uuid), app.account_tables(), app.keep_for_law(uuid), app.erase_rows(uuid, integer),
  app.destroy_data_key(uuid), app.finish_erasure(uuid, jsonb) from public;
grant execute on function app.is_closed(uuid) to service_role, pingr_account;
grant execute on function app.account_tables(), app.keep_for_law(uuid), app.erase_rows(uuid, integer),
  app.destroy_data_key(uuid), app.finish_erasure(uuid, jsonb) to service_role;
