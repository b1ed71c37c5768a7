-- Alerts of a key that is used from a country in which it had never been used.
alter table account_alerts drop constraint account_alerts_kind_check, add constraint account_alerts_kind_check check (
  kind in ('failing_keys', 'new_network', 'new_country', 'first_contacts', 'failure_rate', 'session_banned'));

-- Countries that a key has been used from, as ISO 3166-1 alpha-2. Not derived from its networks: those are wide enough to
-- lie in several countries.
create table key_countries (
  key_id uuid not null references api_keys on delete cascade,
  country text not null,
  account_id uuid not null references accounts on delete cascade,
  first_at timestamptz not null default now(),
  last_at timestamptz not null default now(),
  primary key (key_id, country)
);
create index on key_countries (account_id);
call app.protect('key_countries', 'account_id', '');
insert into app.growing_tables values ('key_countries', 90, null, 'last_at');

-- Notes in which countries keys were used. Answers the uses that are news: a country in which a key had never been used,
-- though its countries have been known for a day; and those that were known.
create function app.note_countries(key_ids uuid[], countries text[])
  returns table (key_id uuid, country text, account_id uuid, mode text, known_countries text[])
  language sql volatile set search_path = ''
as $$
  with used as (
    select distinct k.id as key_id, u.country, k.account_id, k.mode
    from unnest(key_ids, countries) as u (key_id, country) join public.api_keys k on k.id = u.key_id
  ), known as (
    select c.key_id, min(c.first_at) as since, array_agg(c.country order by c.country) as countries
    from public.key_countries c where c.key_id = any(key_ids) group by c.key_id
  ), noted as (
    insert into public.key_countries as c (key_id, country, account_id)
    select u.key_id, u.country, u.account_id from used u order by u.key_id, u.country
    on conflict on constraint key_countries_pkey do update set last_at = now()
    returning c.key_id, c.country, c.xmax = 0 as fresh
  )
  select u.key_id, u.country, u.account_id, u.mode, known.countries
  from noted join used u using (key_id, country) join known using (key_id)
  where noted.fresh and known.since < now() - interval '1 day'
$$;

revoke all on function app.note_countries(uuid[], text[]) from public;
grant execute on function app.note_countries(uuid[], text[]) to service_role;
