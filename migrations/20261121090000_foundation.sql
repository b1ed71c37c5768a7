-- Roles, the account scope, and the helpers that every later migration uses.

do $$
begin
  -- What the program logs in as (or switches to): may take the two scopes below, holds no rights itself.
  if not exists (select from pg_roles where rolname = 'pingr_app') then
    create role pingr_app login noinherit;
  end if;
  -- Account scope of the API: reads and writes its own account's rows. `authenticated` is the same account seen
  -- by a dashboard through PostgREST, which may read but must not write past quotas and checks.
  if not exists (select from pg_roles where rolname = 'pingr_account') then
    create role pingr_account nologin;
  end if;
end $$;

grant pingr_app to current_user;
grant pingr_account, service_role to pingr_app;
-- A pool that logs in as the owner switches to pingr_app at once, and may then take only what pingr_app may.
grant pingr_account, service_role to current_user;

create schema if not exists app;
grant usage on schema app to pingr_app, pingr_account, authenticated, service_role;
grant usage on schema public to pingr_app, pingr_account, authenticated, service_role;

-- Claims of this transaction. A local setting reads as '' once its transaction is over, hence nullif.
create function app.claims() returns jsonb
  language sql stable set search_path = ''
  as $$ select coalesce(nullif(pg_catalog.current_setting('request.jwt.claims', true), ''), '{}')::jsonb $$;

-- The account of this transaction, as set by the API; null (which matches no row) where nothing set it.
-- The issuer is checked because PostgREST writes the same setting from a customer's token.
create function app.account_id() returns uuid
  language sql stable set search_path = ''
  as $$ select case when app.claims() ->> 'iss' = 'pingr' then (app.claims() ->> 'account_id')::uuid end $$;

-- The mode of this transaction; null means both (account-wide work such as managing keys).
create function app.mode() returns text
  language sql stable set search_path = ''
  as $$ select case when app.claims() ->> 'iss' = 'pingr' then app.claims() ->> 'mode' end $$;

-- Puts a table under forced row-level security with the house's policies.
-- `account_rights`: verbs that the account scope has ('' for none). Tables with a column `mode` are kept apart by it.
create procedure app.protect(target regclass, account_column text, account_rights text)
  language plpgsql set search_path = ''
as $$
declare
  own text := pg_catalog.format('%I = (select app.account_id())', account_column);
begin
  if exists (select from pg_catalog.pg_attribute where attrelid = target and attname = 'mode' and not attisdropped) then
    own := own || ' and ((select app.mode()) is null or mode = (select app.mode()))';
  end if;
  execute pg_catalog.format('alter table %s enable row level security', target);
  execute pg_catalog.format('alter table %s force row level security', target);
  execute pg_catalog.format('revoke all on %s from public, anon, authenticated', target);
  execute pg_catalog.format('create policy account_scope on %s to pingr_account using (%s) with check (%s)', target, own, own);
  execute pg_catalog.format('create policy system_scope on %s to service_role using (true) with check (true)', target);
  execute pg_catalog.format('grant select, insert, update, delete on %s to service_role', target);
  if account_rights <> '' then
    execute pg_catalog.format('grant %s on %s to pingr_account', account_rights, target);
  end if;
end $$;

-- The smallest UUIDv7 of an instant: the bound between partitions of tables keyed by UUIDv7. Instants before 1970,
-- which no UUIDv7 can name, give the smallest of all.
create function app.uuid_floor(at timestamptz) returns uuid
  language sql immutable set search_path = ''
  as $$
    select (pg_catalog.lpad(pg_catalog.to_hex(greatest(0, extract(epoch from at) * 1000)::bigint), 12, '0')
      || '00000000000000000000')::uuid
  $$;

-- Makes the weekly partitions (Monday to Monday, UTC) that hold `from_day` to `to_day`, where missing.
-- Partitions carry no grants: rows are reached through the parent and its policies only.
create procedure app.make_partitions(parent regclass, from_day date, to_day date)
  language plpgsql set search_path = ''
as $$
declare
  week date := pg_catalog.date_trunc('week', from_day::timestamp)::date;
  child text;
begin
  while week <= to_day loop
    child := (parse_ident(parent::text))[pg_catalog.array_length(parse_ident(parent::text), 1)]
      || pg_catalog.to_char(week, '"_"YYYY"_"MM"_"DD');
    if pg_catalog.to_regclass('public.' || pg_catalog.quote_ident(child)) is null then
      execute pg_catalog.format(
        'create table public.%I partition of %s for values from (%L) to (%L)', child, parent,
        app.uuid_floor(week::timestamp at time zone 'UTC'), app.uuid_floor((week + 7)::timestamp at time zone 'UTC'));
      execute pg_catalog.format('alter table public.%I enable row level security', child);
      execute pg_catalog.format('alter table public.%I force row level security', child);
      execute pg_catalog.format('revoke all on public.%I from public, anon, authenticated', child);
    end if;
    week := week + 7;
  end loop;
end $$;
