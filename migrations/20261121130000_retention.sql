-- Tables that only grow, and for how long their rows are kept. Later migrations add theirs with `app.grow`, or by an
-- insert of their own.
create table app.growing_tables (
  -- A table of schema public.
  name text primary key,
  -- Rows are kept for so many days at least; a purge drops whole weeks, so up to seven days longer.
  keep_days integer not null check (keep_days > 0),
  -- A column of `accounts` that holds days too: the account's rows are kept for the longer of the two.
  keep_setting text,
  -- Null where the table is partitioned by UUIDv7; otherwise the column of type timestamptz that its rows age by.
  time_column text
);
revoke all on app.growing_tables from public;
grant select on app.growing_tables to service_role;

insert into app.growing_tables (name, keep_days) values ('webhook_deliveries', 30), ('webhook_attempts', 30);
insert into app.growing_tables (name, keep_days, time_column) values
  ('mails', 30, 'created_at'),
  -- Longer than any cool-down.
  ('trigger_senders', 400, 'last_fired_at');

-- Registers a table that is partitioned by UUIDv7 and makes its first partitions, the default one with them.
create procedure app.grow(name text, keep_days integer, keep_setting text default null)
  language plpgsql set search_path = ''
as $$
declare
  fallback text := name || '_default';
begin
  insert into app.growing_tables values (name, keep_days, keep_setting);
  call app.make_partitions(pg_catalog.format('public.%I', name)::regclass, current_date - 7, current_date + 28);
  execute pg_catalog.format('create table public.%I partition of public.%I default', fallback, name);
  execute pg_catalog.format('alter table public.%I enable row level security', fallback);
  execute pg_catalog.format('alter table public.%I force row level security', fallback);
  execute pg_catalog.format('revoke all on public.%I from public, anon, authenticated', fallback);
end $$;
revoke all on procedure app.grow(text, integer, text) from public;

create or replace procedure app.prepare_partitions()
  language plpgsql security definer set search_path = ''
as $$
declare
  parent text;
begin
  for parent in select g.name from app.growing_tables g where g.time_column is null order by g.name loop
    call app.make_partitions(pg_catalog.format('public.%I', parent)::regclass, current_date - 7, current_date + 28);
  end loop;
end $$;

-- What an account wants done with what its messages say: 0 drops it once the message is done with, N keeps it N days.
alter table accounts add column content_days smallint not null default 90 check (content_days between 0 and 3650);
grant update (content_days) on accounts to pingr_account;
-- Days for which an account's contents are kept in fact, 0 for none.
create function app.kept_content_days(account uuid) returns integer
  language sql stable set search_path = ''
  as $$ select a.content_days::integer from public.accounts a where a.id = account $$;
revoke all on function app.kept_content_days(uuid) from public;
grant execute on function app.kept_content_days(uuid) to service_role, pingr_account;

insert into app.growing_tables (name, keep_days, keep_setting) values
  ('messages', 90, 'content_days'), ('events', 90, 'content_days');

-- One row a purge, filled while it runs: what it dropped, deleted and forgot.
create table app.purge_runs (
  id uuid primary key,
  started_at timestamptz not null default now(),
  -- Null while it runs, and where it was cut short: the next one goes on.
  finished_at timestamptz,
  -- [{"table", "partition", "until", "bytes"}]
  dropped jsonb not null default '[]',
  -- Partitions that were in use for so long that this run left them to the next.
  skipped text[] not null default '{}',
  -- {"table": rows}
  deleted jsonb not null default '{}',
  -- Messages whose content was forgotten.
  contents bigint not null default 0
);
create index on app.purge_runs (started_at);
alter table app.purge_runs enable row level security;
alter table app.purge_runs force row level security;
create policy system_scope on app.purge_runs to service_role using (true) with check (true);
grant select, insert, update, delete on app.purge_runs to service_role;

-- How far the contents of an account's messages have been forgotten, so that no purge looks at a message twice.
create table app.content_marks (
  account_id uuid not null references public.accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  -- Contents of messages below this id are gone.
  forgotten_below uuid not null default '00000000-0000-0000-0000-000000000000',
  -- The last fact that was looked at for messages that are done with; for accounts that store no content.
  read_txid xid8 not null default '0',
  read_id uuid not null default '00000000-0000-0000-0000-000000000000',
  primary key (account_id, mode)
);
call app.protect('app.content_marks', 'account_id', '');

-- Messages of accounts that store no content, done with on WhatsApp's side: their content goes as soon as their webhooks
-- and triggers are done too.
create table app.content_waits (
  message_id uuid primary key,
  account_id uuid not null references public.accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  since timestamptz not null
);
create index on app.content_waits (since);
create index on app.content_waits (account_id);
call app.protect('app.content_waits', 'account_id', '');

-- Days that the rows of a growing table are kept: the longest that its own rule or any account asks for.
create function app.longest_keep(growing app.growing_tables) returns integer
  language plpgsql stable set search_path = ''
as $$
declare
  longest integer;
begin
  if growing.keep_setting is null then
    return growing.keep_days;
  end if;
  execute pg_catalog.format('select max(%I) from public.accounts', growing.keep_setting) into longest;
  return greatest(growing.keep_days, longest);
end $$;

-- When the week of a partition ends; null for a default partition.
create function app.end_of_week(partition regclass) returns timestamptz
  language sql stable set search_path = ''
as $$
  select pg_catalog.to_timestamp(('x' || pg_catalog.left(pg_catalog.replace(pg_catalog.substring(
    pg_catalog.pg_get_expr(c.relpartbound, c.oid), 'TO \(''([0-9a-f-]{36})''\)'), '-', ''), 12))::bit(48)::bigint / 1000.0)
  from pg_catalog.pg_class c where c.oid = partition
$$;

-- Weeks that are over for every account, oldest first.
create function app.expired_partitions() returns table (parent text, partition text, until timestamptz)
  language sql stable set search_path = ''
as $$
  select g.name, c.relname::text, app.end_of_week(c.oid)
  from app.growing_tables g
  join pg_catalog.pg_inherits i on i.inhparent = pg_catalog.to_regclass(pg_catalog.format('public.%I', g.name))
  join pg_catalog.pg_class c on c.oid = i.inhrelid
  where g.time_column is null
    and app.end_of_week(c.oid) <= pg_catalog.now() - pg_catalog.make_interval(days => app.longest_keep(g))
  order by 3, 1
$$;

-- Drops a week of a growing table that is past the table's own days, as its owner, because the program itself may drop
-- no tables. Dropping locks the whole table for an instant; where that cannot be had within half a second, it answers
-- null, so that writers never queue behind it for longer. Otherwise the bytes that it freed.
create function app.drop_partition(parent text, partition text) returns bigint
  language plpgsql security definer set search_path = '' set lock_timeout = '500ms'
as $$
declare
  target regclass := pg_catalog.format('public.%I', partition)::regclass;
  bytes bigint := pg_catalog.pg_total_relation_size(target);
begin
  if not exists (
    select from app.growing_tables g
    join pg_catalog.pg_inherits i on i.inhparent = pg_catalog.format('public.%I', g.name)::regclass and i.inhrelid = target
    where g.name = parent and app.end_of_week(target) <= pg_catalog.now() - pg_catalog.make_interval(days => g.keep_days)
  ) then
    raise exception '% is no expired partition of %', partition, parent;
  end if;
  execute pg_catalog.format('drop table %s', target);
  return bytes;
exception when lock_not_available then
  return null;
end $$;

-- Drops the oldest expired week that can be had and writes it into the run. Answers its name, null where none is left.
create function app.drop_expired_partition(run uuid) returns text
  language plpgsql set search_path = ''
as $$
declare
  expired record;
  bytes bigint;
begin
  for expired in
    select e.* from app.expired_partitions() e
    where not exists (select from app.purge_runs r where r.id = run and e.partition = any(r.skipped))
  loop
    bytes := app.drop_partition(expired.parent, expired.partition);
    if bytes is not null then
      update app.purge_runs r set dropped = r.dropped || pg_catalog.jsonb_build_object(
        'table', expired.parent, 'partition', expired.partition, 'until', expired.until, 'bytes', bytes) where r.id = run;
      return expired.partition;
    end if;
    update app.purge_runs r set skipped = r.skipped || expired.partition where r.id = run;
  end loop;
  return null;
end $$;

-- Deletes rows that have outlived their time and are in no week that will be dropped, at most so many of each table:
-- rows in default partitions, rows of tables without partitions, and rows of accounts that keep less than the longest.
-- Answers how many it deleted, and writes that into the run.
create function app.delete_expired_rows(run uuid, most integer) returns integer
  language plpgsql set search_path = ''
as $$
declare
  growing app.growing_tables;
  cut timestamptz;
  gone integer;
  total integer := 0;
begin
  for growing in select * from app.growing_tables g order by g.name loop
    cut := pg_catalog.now() - pg_catalog.make_interval(days => app.longest_keep(growing));
    if growing.time_column is not null then
      execute pg_catalog.format('delete from public.%I where ctid = any(array(
        select ctid from public.%1$I where %I < $1 limit $2))', growing.name, growing.time_column) using cut, most;
    else
      execute pg_catalog.format('delete from public.%I where id = any(array(
        select id from public.%1$I where id < app.uuid_floor($1) and tableoid = %L::regclass limit $2))',
        growing.name, pg_catalog.format('public.%I', growing.name || '_default')) using cut, most;
    end if;
    get diagnostics gone = row_count;
    if growing.keep_setting is not null and gone < most then
      gone := gone + app.delete_rows_of_brief_accounts(growing, most - gone);
    end if;
    if gone > 0 then
      update app.purge_runs r set deleted = r.deleted || pg_catalog.jsonb_build_object(
        growing.name, coalesce((r.deleted ->> growing.name)::bigint, 0) + gone) where r.id = run;
    end if;
    total := total + gone;
  end loop;
  return total;
end $$;

-- Accounts that keep less than the longest, by whole weeks as well: what dropping does for others.
create function app.delete_rows_of_brief_accounts(growing app.growing_tables, most integer) returns integer
  language plpgsql set search_path = ''
as $$
declare
  brief record;
  gone integer;
  total integer := 0;
begin
  for brief in execute pg_catalog.format(
    'select id, greatest(%I, $1) as days from public.accounts where greatest(%1$I, $1) < $2', growing.keep_setting)
    using growing.keep_days, app.longest_keep(growing)
  loop
    execute pg_catalog.format('delete from public.%I where id = any(array(
      select id from public.%1$I where account_id = $1 and id < app.uuid_floor($2) limit $3))', growing.name)
      using brief.id,
        pg_catalog.date_trunc('week', pg_catalog.now() - pg_catalog.make_interval(days => brief.days), 'UTC'),
        most - total;
    get diagnostics gone = row_count;
    total := total + gone;
    exit when total >= most;
  end loop;
  return total;
end $$;

-- Forgets what messages said that are older than their account wants, at most so many of each account and mode. An
-- account that stores no content has its own, quicker way (app.forget_finished_contents); here only what WhatsApp never
-- confirmed within the 30 days for which its servers keep a message. Answers how many it forgot.
create function app.forget_old_contents(run uuid, most integer) returns integer
  language plpgsql set search_path = ''
as $$
declare
  due record;
  ids uuid[];
  total integer := 0;
begin
  for due in
    select a.id as account_id, m.mode, coalesce(k.forgotten_below, app.uuid_floor('-infinity')) as low, c.high
    from public.accounts a
    cross join (values ('test'), ('live')) as m (mode)
    cross join lateral (select app.uuid_floor(pg_catalog.now() - pg_catalog.make_interval(
      days => case d.days when 0 then 30 else d.days end)) as high
      from app.kept_content_days(a.id) as d (days)) c
    left join app.content_marks k on k.account_id = a.id and k.mode = m.mode
    where c.high > coalesce(k.forgotten_below, app.uuid_floor('-infinity'))
  loop
    ids := array(
      select m.id from public.messages m
      where m.account_id = due.account_id and m.mode = due.mode and m.id >= due.low and m.id < due.high
        and m.content is not null
      order by m.id limit most);
    update public.messages m set content = null where m.id = any(ids);
    insert into app.content_marks as k (account_id, mode, forgotten_below)
      values (due.account_id, due.mode, case when cardinality(ids) < most then due.high else ids[most] end)
      on conflict (account_id, mode) do update set forgotten_below = excluded.forgotten_below;
    total := total + cardinality(ids);
  end loop;
  update app.purge_runs r set contents = r.contents + total where r.id = run and total > 0;
  return total;
end $$;

-- For accounts that store no content: finds messages that WhatsApp is done with (received, delivered or failed) among
-- the facts since the last look, at most so many of each account, and forgets what those said whose webhooks have ended
-- and whose triggers have looked. Nothing goes within a minute, so that a stream that reconnects still shows it, and
-- nobody's webhooks hold it for more than three days. Answers the facts read and the contents forgotten, together.
create function app.forget_finished_contents(most integer) returns integer
  language plpgsql set search_path = ''
as $$
declare
  reader record;
  fact record;
  last record;
  seen integer;
  ids uuid[];
  total integer := 0;
begin
  -- Accounts that have come to store contents; should they change their mind, they are read from the beginning.
  update app.content_marks k set read_txid = '0' from public.accounts a
    where a.id = k.account_id and a.content_days <> 0 and k.read_txid <> '0';
  delete from app.content_waits w using public.accounts a where a.id = w.account_id and a.content_days <> 0;

  for reader in
    select a.id as account_id, m.mode from public.accounts a cross join (values ('test'), ('live')) as m (mode)
    where a.content_days = 0
  loop
    insert into app.content_marks (account_id, mode) values (reader.account_id, reader.mode) on conflict do nothing;
    seen := 0;
    for fact in
      select e.txid, e.id, e.message_id, e.type, e.created_at
      from app.content_marks k join public.events e on e.account_id = k.account_id and e.mode = k.mode
      where k.account_id = reader.account_id and k.mode = reader.mode
        and (e.txid, e.id) > (k.read_txid, k.read_id)
        and e.txid < pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())
      order by e.txid, e.id limit most
    loop
      seen := seen + 1;
      last := fact;
      insert into app.content_waits (message_id, account_id, mode, since)
        select m.id, m.account_id, m.mode, fact.created_at from public.messages m
        where m.id = fact.message_id and m.content is not null
          and (fact.type in ('message.received', 'message.delivered', 'message.read', 'message.played', 'message.failed')
            -- Written on the phone itself.
            or (fact.type = 'message.sent' and m.sending_at is null))
        on conflict do nothing;
    end loop;
    if seen > 0 then
      update app.content_marks k set read_txid = last.txid, read_id = last.id
        where k.account_id = reader.account_id and k.mode = reader.mode;
    end if;
    total := total + seen;
  end loop;

  ids := array(
    select w.message_id from app.content_waits w
    where w.since < pg_catalog.now() - interval '1 minute' and (
      w.since < pg_catalog.now() - interval '3 days'
      or not exists (select from public.trigger_checks t where t.message_id = w.message_id)
        and not exists (
          select from public.webhook_endpoints p
          join public.webhook_deliveries d on d.endpoint_id = p.id and d.message_id = w.message_id
          where p.account_id = w.account_id and p.mode = w.mode and d.status in ('pending', 'sending')))
    order by w.since limit most);
  update public.messages m set content = null where m.id = any(ids);
  delete from app.content_waits w where w.message_id = any(ids);
  return total + cardinality(ids);
end $$;

create function app.begin_purge() returns uuid
  language sql volatile set search_path = ''
  as $$
    delete from app.purge_runs where started_at < pg_catalog.now() - interval '400 days';
    insert into app.purge_runs (id) values (app.new_uuid()) returning id
  $$;

create function app.end_purge(run uuid) returns app.purge_runs
  language sql volatile set search_path = ''
  as $$ update app.purge_runs r set finished_at = pg_catalog.now() where r.id = run returning r.* $$;

-- The whole purge, for pg_cron and for operators: `call app.purge()`. Commits after every step, so that it holds no lock
-- for long; what is cut short goes on with the next. The program's nightly job takes the same steps.
create procedure app.purge()
  language plpgsql
as $$
declare
  run uuid;
begin
  -- Rows are deleted as the program would: owners, too, are under row-level security.
  perform pg_catalog.set_config('role', 'service_role', true);
  run := app.begin_purge();
  commit;
  loop
    perform pg_catalog.set_config('role', 'service_role', true);
    exit when app.drop_expired_partition(run) is null
      and app.delete_expired_rows(run, 5000) + app.forget_old_contents(run, 2000) = 0;
    commit;
  end loop;
  perform app.end_purge(run);
  commit;
end $$;

revoke all on function app.longest_keep(app.growing_tables), app.end_of_week(regclass), app.expired_partitions(),
  app.drop_partition(text, text), app.drop_expired_partition(uuid),
  app.delete_expired_rows(uuid, integer), app.delete_rows_of_brief_accounts(app.growing_tables, integer),
  app.forget_old_contents(uuid, integer), app.forget_finished_contents(integer), app.begin_purge(), app.end_purge(uuid)
  from public;
revoke all on procedure app.purge() from public;
grant execute on function app.longest_keep(app.growing_tables), app.end_of_week(regclass), app.expired_partitions(),
  app.drop_partition(text, text), app.drop_expired_partition(uuid),
  app.delete_expired_rows(uuid, integer), app.delete_rows_of_brief_accounts(app.growing_tables, integer),
  app.forget_old_contents(uuid, integer), app.forget_finished_contents(integer), app.begin_purge(), app.end_purge(uuid)
  to service_role;
grant execute on procedure app.purge() to service_role;
