-- People who sign in. They belong to no account; their memberships say which ones they may act for. A user lives as long
-- as there is a membership (app.forget_user).
create table users (
  id uuid primary key,
  email text not null unique check (email = lower(email) and length(email) between 3 and 254),
  name text not null default '',
  -- IANA name, and BCP 47 tag.
  time_zone text not null default 'UTC',
  locale text not null default 'en',
  avatar_url text,
  -- Who they are for Firebase. Uids are unique within a project only, and anybody can make a project with any uid.
  firebase_project text,
  firebase_uid text unique,
  created_at timestamptz not null default now(),
  check ((firebase_project is null) = (firebase_uid is null))
);

-- Operators make accounts for owners who have yet to sign in.
create index on accounts (lower(email));

create table members (
  account_id uuid not null references accounts on delete cascade,
  user_id uuid not null references users on delete cascade,
  role text not null check (role in ('owner', 'admin', 'developer', 'agent', 'viewer')),
  created_at timestamptz not null default now(),
  primary key (account_id, user_id)
);
create index on members (user_id);
call app.protect('members', 'account_id', 'select, insert, update, delete');

-- Who caused a change, as the API tells it beside the claims: {"type", "id", "name", "ip", "user_agent", "request_id"}.
-- A setting of its own, because policies read the claims in every statement and would read all of this with them.
create function app.actor() returns jsonb
  language sql stable parallel safe
  return coalesce(nullif(current_setting('pingr.actor', true), ''), '{}')::jsonb;

-- The signed-in user on whose behalf the API acts; null for keys and for the program itself.
create function app.user_id() returns uuid
  language sql stable parallel safe
  return case when (app.actor() ->> 'type') = 'user' then (app.actor() ->> 'id')::uuid end;

alter table users enable row level security;
alter table users force row level security;
revoke all on users from public, anon, authenticated;
-- An account sees its members; a user may change their own row, but not who they are.
create policy account_scope on users for select to pingr_account
  using (exists (select from members m where m.user_id = users.id and m.account_id = (select app.account_id())));
create policy own_profile on users for update to pingr_account
  using (id = (select app.user_id())) with check (id = (select app.user_id()));
create policy system_scope on users to service_role using (true) with check (true);
grant select, update (name, time_zone, locale, avatar_url) on users to pingr_account;
grant select, insert, update, delete on users to service_role;

-- Functions below act as the owner, who under forced row-level security needs policies too.
create policy owner_scope on users to current_user using (true);
create policy owner_scope on members for select to current_user using (true);

-- People asked to join. A row is an invitation that is open: it goes when it is accepted or taken back.
create table invitations (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  email text not null check (email = lower(email) and length(email) between 3 and 254),
  role text not null check (role in ('owner', 'admin', 'developer', 'agent', 'viewer')),
  -- SHA-256 of the token in the mail.
  token_hash bytea not null unique,
  -- The member who invited; null for a key.
  invited_by uuid references users on delete set null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  unique (account_id, email)
);
create index on invitations (expires_at);
create index on invitations (invited_by);
call app.protect('invitations', 'account_id', 'select, insert, update, delete');

-- Where a user is signed in without Firebase: one row a browser. Deleting it signs out.
create table sign_ins (
  id uuid primary key,
  user_id uuid not null references users on delete cascade,
  -- SHA-256 of the refresh token, and of the one before it, whose second use means that somebody copied it.
  refresh_hash bytea not null unique,
  previous_hash bytea,
  refreshed_at timestamptz not null,
  ip text,
  user_agent text,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index on sign_ins (user_id);
create index on sign_ins (previous_hash);
create index on sign_ins (expires_at);

-- Links that were used, so that none works twice; they carry all else themselves.
create table used_links (
  -- SHA-256 of the token.
  hash bytea primary key,
  used_at timestamptz not null default now()
);
create index on used_links (used_at);

do $$
declare
  target text;
begin
  foreach target in array array['sign_ins', 'used_links'] loop
    execute format('alter table %I enable row level security', target);
    execute format('alter table %I force row level security', target);
    execute format('revoke all on %I from public, anon, authenticated', target);
    execute format('create policy system_scope on %I to service_role using (true) with check (true)', target);
    execute format('grant select, insert, update, delete on %I to service_role', target);
  end loop;
end $$;
insert into app.growing_tables (name, keep_days, time_column)
  values ('invitations', 30, 'expires_at'), ('sign_ins', 1, 'expires_at'), ('used_links', 1, 'used_at');

-- A user whose last membership ends is forgotten, with every sign-in.
create function app.forget_user() returns trigger
  language plpgsql security definer set search_path = ''
as $$
begin
  delete from public.users u where u.id = old.user_id
    and not exists (select from public.members m where m.user_id = old.user_id);
  return null;
end $$;
create trigger forget_user after delete on members for each row execute function app.forget_user();

-- Every process forgets what it knows of a user whose rights changed, once the transaction commits.
create function app.tell_user_changed() returns trigger
  language plpgsql set search_path = ''
as $$
begin
  perform pg_catalog.pg_notify('pingr_user_changed', coalesce(new.user_id, old.user_id)::text);
  return null;
end $$;
create trigger tell_user_changed after insert or update or delete on members
  for each row execute function app.tell_user_changed();
create trigger tell_user_changed after delete on sign_ins
  for each row execute function app.tell_user_changed();

-- For dashboards that read through PostgREST with a Firebase token: the accounts of the token's user. The keys that sign
-- such tokens are common to all projects, so the token's project must be the one that the user signed in by.
create function app.my_accounts() returns setof uuid
  language sql stable security definer set search_path = ''
  as $$
    select m.account_id from public.users u join public.members m on m.user_id = u.id
    where u.firebase_uid = app.claims() ->> 'sub'
      and app.claims() ->> 'aud' = u.firebase_project
      and app.claims() ->> 'iss' = 'https://securetoken.google.com/' || u.firebase_project
  $$;

-- Whether the token's user is a member of the account. In policies rather `account_id in (select app.my_accounts())`,
-- which is asked once a statement instead of once a row.
create function app.member_of(account_id uuid) returns boolean
  language sql stable set search_path = ''
  as $$ select $1 in (select app.my_accounts()) $$;

revoke all on function app.my_accounts(), app.member_of(uuid), app.forget_user() from public;
grant execute on function app.my_accounts(), app.member_of(uuid) to authenticated;

-- Every change that customers make, and those that Pingr makes to what customers set.
create table audit_log (
  id uuid primary key,
  account_id uuid not null,
  -- Null for what belongs to both modes.
  mode text check (mode in ('test', 'live')),
  at timestamptz not null,
  actor_type text not null check (actor_type in ('api_key', 'user', 'system')),
  actor_id uuid,
  ip text,
  user_agent text,
  request_id text,
  action text not null check (action in ('created', 'updated', 'deleted')),
  -- The table, and the id of its row.
  target_type text not null,
  target_id text not null,
  -- Columns that an update changed; secrets among them show that they changed, not to what.
  changed text[],
  before jsonb,
  after jsonb
) partition by range (id);
create index on audit_log (account_id, id);
create index on audit_log (account_id, target_type, target_id, id);
create index on audit_log (account_id, actor_id, id);
call app.protect('audit_log', 'account_id', 'select');
call app.grow('audit_log', 180);
-- Written by app.audit() alone, as the owner: no scope can write its own history.
create policy audit_writer on audit_log for insert to current_user with check (true);

-- Writes one row into the audit log. Arguments: the columns that make the row's id; those that are watched ('' for all);
-- those that hold secrets; each with commas between.
create function app.audit() returns trigger
  language plpgsql security definer set search_path = ''
as $$
declare
  keys text[] := pg_catalog.string_to_array(tg_argv[0], ',');
  watched text[] := pg_catalog.string_to_array(nullif(tg_argv[1], ''), ',');
  secret text[] := pg_catalog.string_to_array(tg_argv[2], ',');
  whole_old jsonb := case when tg_op <> 'INSERT' then to_jsonb(old) end;
  whole_new jsonb := case when tg_op <> 'DELETE' then to_jsonb(new) end;
  whole jsonb := coalesce(whole_new, whole_old);
  account uuid := coalesce(whole ->> 'account_id', whole ->> 'id')::uuid;
  actor jsonb := app.actor();
  altered text[];
  shown_old jsonb;
  shown_new jsonb;
begin
  if tg_op = 'UPDATE' then
    altered := array(
      select e.key from pg_catalog.jsonb_each(whole_new) e
      where (watched is null or e.key = any(watched)) and e.value is distinct from whole_old -> e.key order by e.key);
    if altered = '{}' then
      return null;
    end if;
    watched := altered;
  elsif tg_op = 'DELETE' and pg_catalog.to_regclass('public.account_closures') is not null then
    -- What erasing an account deletes is in its receipt.
    if exists (select from public.account_closures c where c.account_id = account and c.erasing_at is not null) then
      return null;
    end if;
  end if;
  if whole_old is not null then
    shown_old := app.audited(whole_old, watched, secret);
  end if;
  if whole_new is not null then
    shown_new := app.audited(whole_new, watched, secret);
  end if;
  insert into public.audit_log (id, account_id, mode, at, actor_type, actor_id, ip, user_agent, request_id, action,
      target_type, target_id, changed, before, after)
    values (app.new_uuid(), account, whole ->> 'mode', pg_catalog.clock_timestamp(), coalesce(actor ->> 'type', 'system'),
      (actor ->> 'id')::uuid, actor ->> 'ip', actor ->> 'user_agent', actor ->> 'request_id',
      case tg_op when 'INSERT' then 'created' when 'UPDATE' then 'updated' else 'deleted' end,
      tg_table_name, (select pg_catalog.string_agg(whole ->> k, ',' order by i) from unnest(keys) with ordinality as u (k, i)),
      altered, shown_old, shown_new);
  return null;
end $$;

-- The columns of a row that the audit log shows.
create function app.audited(image jsonb, watched text[], secret text[]) returns jsonb
  language sql immutable set search_path = ''
  as $$
    select pg_catalog.jsonb_object_agg(e.key,
      case when e.key = any(secret) and e.value <> 'null' then '"[redacted]"' else e.value end)
    from pg_catalog.jsonb_each(image) e
    where e.key <> 'account_id' and (watched is null or e.key = any(watched))
  $$;

-- Puts a table under audit. `watched`: the columns that count, all where null; updates of others cost nothing. Columns of
-- type bytea (everything sealed or hashed) are secret, whether named or not.
create procedure app.audit_changes(target regclass, keys text[], watched text[] default null, secret text[] default '{}')
  language plpgsql set search_path = ''
as $$
declare
  arguments text := pg_catalog.format('%L, %L, %L', pg_catalog.array_to_string(keys, ','),
    case when watched is null then '' else pg_catalog.array_to_string(keys || watched, ',') end,
    pg_catalog.array_to_string(secret || array(
      select a.attname::text from pg_catalog.pg_attribute a
      where a.attrelid = target and a.atttypid = 'bytea'::regtype and not a.attisdropped), ','));
begin
  execute pg_catalog.format('create trigger audit_made after insert or delete on %s for each row execute function app.audit(%s)',
    target, arguments);
  execute pg_catalog.format('create trigger audit_changed after update%s on %s for each row execute function app.audit(%s)',
    ' of ' || (select pg_catalog.string_agg(pg_catalog.quote_ident(w), ', ') from unnest(watched) as w), target, arguments);
end $$;

revoke all on function app.audit(), app.audited(jsonb, text[], text[]) from public;
revoke all on procedure app.audit_changes(regclass, text[], text[], text[]) from public;
