-- app.raise_alert as before, but the fact holds the whole new alert, so that the event shows what the API shows.
create or replace function app.raise_alert(
  p_id uuid, p_event_id uuid, p_account_id uuid, p_mode text, p_kind text, p_subject uuid, p_session_id uuid, p_detail jsonb,
  p_factor real, p_seconds integer
) returns boolean
  language plpgsql set search_path = ''
as $$
declare
  until timestamptz := pg_catalog.now() + pg_catalog.make_interval(secs => p_seconds);
  before public.account_alerts;
begin
  if not exists (select from public.accounts a where a.id = p_account_id for key share) then
    return false;
  end if;
  perform pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(p_account_id::text || p_mode || p_kind || p_subject, 0));
  select * into before from public.account_alerts a
    where a.account_id = p_account_id and a.mode = p_mode and a.kind = p_kind and a.subject = p_subject
      and a.first_at > pg_catalog.now() - interval '1 day'
    order by a.first_at desc limit 1 for update;
  if before.factor is distinct from p_factor or before.restricted_until < pg_catalog.now() + interval '1 minute' then
    perform pg_catalog.pg_notify('pingr_restricted', p_account_id::text);
  end if;
  if before.id is not null then
    update public.account_alerts a
      set count = a.count + 1, last_at = pg_catalog.now(), detail = p_detail, restricted_until = until, factor = p_factor
      where a.id = before.id;
    return false;
  end if;
  insert into public.account_alerts (id, account_id, mode, kind, subject, detail, first_at, last_at, restricted_until, factor)
    values (p_id, p_account_id, p_mode, p_kind, p_subject, p_detail, pg_catalog.now(), pg_catalog.now(), until, p_factor);
  perform app.announce(p_event_id, p_account_id, p_mode, 'account.suspicious_activity', p_session_id, null,
    pg_catalog.jsonb_build_object('id', p_id, 'kind', p_kind, 'subject', p_subject, 'detail', p_detail,
      'factor', p_factor, 'restricted_until', until), pg_catalog.now());
  return true;
end $$;
