-- What looks like misuse of an account, or by it. One row a kind and subject in a day; repeats count on.
create table account_alerts (
  id uuid primary key,
  account_id uuid not null references accounts on delete cascade,
  mode text not null check (mode in ('test', 'live')),
  kind text not null check (kind in ('failing_keys', 'new_network', 'first_contacts', 'failure_rate', 'session_banned')),
  -- The key or session that it is about; the account itself where it is about neither.
  subject uuid not null,
  -- Numbers and addresses, never content.
  detail jsonb not null,
  count integer not null default 1,
  first_at timestamptz not null,
  last_at timestamptz not null,
  -- For how long the account's limits are tightened because of it, and to what part of them.
  restricted_until timestamptz,
  factor real check (factor > 0 and factor <= 1)
);
create index on account_alerts (account_id, mode, id);
create index on account_alerts (account_id, mode, kind, subject, last_at);
create index on account_alerts (restricted_until) where restricted_until is not null;
call app.protect('account_alerts', 'account_id', 'select');
insert into app.growing_tables values ('account_alerts', 180, null, 'last_at');

-- Networks that a key has been used from.
create table key_networks (
  key_id uuid not null references api_keys on delete cascade,
  network cidr not null,
  account_id uuid not null references accounts on delete cascade,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  primary key (key_id, network)
);
create index on key_networks (account_id);
call app.protect('key_networks', 'account_id', '');
insert into app.growing_tables values ('key_networks', 90, null, 'last_at');

-- Notes where keys were used from. Answers the uses that are news: a network that a key had never been used from, though
-- it has been in use for a day.
create function app.note_networks(key_ids uuid[], networks cidr[])
  returns table (key_id uuid, network cidr, account_id uuid, mode text)
  language sql volatile set search_path = ''
as $$
  with used as (
    select distinct k.id as key_id, u.network, k.account_id, k.mode
    from unnest(key_ids, networks) as u (key_id, network) join public.api_keys k on k.id = u.key_id
  ), known as (
    select n.key_id, min(n.first_at) as since from public.key_networks n
    where n.key_id = any(key_ids) group by n.key_id
  ), noted as (
    insert into public.key_networks as n (key_id, network, account_id)
    select u.key_id, u.network, u.account_id from used u order by u.key_id, u.network
    on conflict on constraint key_networks_pkey do update set last_at = now()
    returning n.key_id, n.network, n.xmax = 0 as fresh
  )
  select u.key_id, u.network, u.account_id, u.mode
  from noted join used u using (key_id, network) join known using (key_id)
  where noted.fresh and known.since < now() - interval '1 day'
$$;

-- Raises an alert, or counts it on where it was raised within a day, and announces new ones. Answers whether it is new.
create function app.raise_alert(
  p_id uuid, p_event_id uuid, p_account_id uuid, p_mode text, p_kind text, p_subject uuid, p_session_id uuid, p_detail jsonb,
  p_factor real, p_seconds integer
) returns boolean
  language plpgsql set search_path = ''
as $$
declare
  until timestamptz := pg_catalog.now() + pg_catalog.make_interval(secs => p_seconds);
begin
  if not exists (select from public.accounts a where a.id = p_account_id for key share) then
    return false;
  end if;
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_account_id::text || p_mode || p_kind || p_subject, 0));
  update public.account_alerts a
    set count = a.count + 1, last_at = pg_catalog.now(), detail = p_detail, restricted_until = until, factor = p_factor
    where a.account_id = p_account_id and a.mode = p_mode and a.kind = p_kind and a.subject = p_subject
      and a.first_at > pg_catalog.now() - interval '1 day';
  if found then
    perform pg_catalog.pg_notify('pingr_restricted', p_account_id::text);
    return false;
  end if;
  insert into public.account_alerts (id, account_id, mode, kind, subject, detail, first_at, last_at, restricted_until, factor)
    values (p_id, p_account_id, p_mode, p_kind, p_subject, p_detail, pg_catalog.now(), pg_catalog.now(), until, p_factor);
  perform app.announce(p_event_id, p_account_id, p_mode, 'account.suspicious_activity', p_session_id, null,
    pg_catalog.jsonb_build_object('kind', p_kind, 'detail', p_detail), pg_catalog.now());
  perform pg_catalog.pg_notify('pingr_restricted', p_account_id::text);
  return true;
end $$;

-- What sessions did in the last hour that looks like spam or like its consequences: many people written to for the first
-- time; many messages failed; a ban.
create function app.find_suspicious_sessions(most_first_contacts integer, least_messages integer, most_failed real)
  returns table (kind text, account_id uuid, mode text, session_id uuid, detail jsonb)
  language sql stable set search_path = ''
as $$
  with sent as (
    select m.account_id, m.mode, m.session_id, count(*) as messages, count(*) filter (where m.status = 'failed') as failed,
      array_agg(distinct m.contact_phone) as contacts
    from public.messages m
    where m.id >= app.uuid_floor(now() - interval '1 hour') and m.direction = 'outbound' and m.contact_phone is not null
    group by 1, 2, 3
  ), met as (
    select s.*, (
      select count(*) from unnest(s.contacts) as c (phone) where not exists (
        select from public.messages b where b.account_id = s.account_id and b.contact_phone = c.phone
          and b.id < app.uuid_floor(now() - interval '1 hour'))) as first_contacts
    from sent s where cardinality(s.contacts) > most_first_contacts
  )
  select 'first_contacts', m.account_id, m.mode, m.session_id,
    jsonb_build_object('first_contacts', m.first_contacts, 'contacts', cardinality(m.contacts), 'minutes', 60)
  from met m where m.first_contacts > most_first_contacts and m.first_contacts * 2 > cardinality(m.contacts)
  union all
  select 'failure_rate', s.account_id, s.mode, s.session_id,
    jsonb_build_object('failed', s.failed, 'messages', s.messages, 'minutes', 60)
  from sent s where s.messages >= least_messages and s.failed > s.messages * most_failed
  union all
  select 'session_banned', s.account_id, s.mode, s.id, jsonb_build_object('code', s.status_code)
  from public.sessions s where s.status = 'banned' and s.status_at > now() - interval '1 hour'
$$;

revoke all on function app.note_networks(uuid[], cidr[]), app.find_suspicious_sessions(integer, integer, real),
  app.raise_alert(uuid, uuid, uuid, text, text, uuid, uuid, jsonb, real, integer) from public;
grant execute on function app.note_networks(uuid[], cidr[]), app.find_suspicious_sessions(integer, integer, real),
  app.raise_alert(uuid, uuid, uuid, text, text, uuid, uuid, jsonb, real, integer) to service_role;
