-- Appends a fact in the caller's transaction and scope, and with it the work that it causes: a delivery for every
-- webhook endpoint that wants it, and a look by the triggers at a received message. Being one transaction, nothing is
-- lost between the fact and its consequences. In PL/pgSQL, which keeps plans for as long as the connection lives.
create or replace function app.announce(
  id uuid, account_id uuid, mode text, type text, session_id uuid, message_id uuid, data jsonb, created_at timestamptz
) returns void
  language plpgsql volatile set search_path = ''
as $$
begin
  insert into public.events (id, account_id, mode, type, session_id, message_id, data, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8);
  insert into public.webhook_deliveries (id, account_id, mode, endpoint_id, event_id, event_type, event_at, session_id, message_id, rank)
    select app.new_uuid(), w.account_id, w.mode, w.id, $1, $4, $8, $5, $6,
      case when $6 is null then 0 else app.message_rank(split_part($4, '.', 2)) end
    from public.webhook_endpoints w
    where w.account_id = $2 and w.mode = $3 and w.enabled and app.wants_event(w.events, $4)
      and (w.session_ids is null or $5 = any(w.session_ids));
  if $4 = 'message.received' and exists (
    select from public.triggers t where t.account_id = $2 and t.mode = $3 and t.enabled
      and (t.session_ids is null or $5 = any(t.session_ids))
  ) then
    insert into public.trigger_checks (message_id, account_id, mode, session_id) values ($6, $2, $3, $5);
  end if;
end $$;

-- After the commit: tells listeners that these accounts have new facts, sends other notices on the way (`channels` and
-- `payloads` in pairs), and answers what waits to be done for the accounts.
-- `kind` is `webhooks` (subject: an endpoint that no worker holds) or `triggers` (subject: an account).
create function app.announced(account_ids uuid[], channels text[], payloads text[])
  returns table (kind text, subject uuid, account_id uuid, mode text)
  language plpgsql volatile set search_path = ''
as $$
begin
  perform pg_catalog.pg_notify(n.channel, n.payload) from unnest(channels, payloads) as n (channel, payload);
  perform pg_catalog.pg_notify('pingr_events', a::text) from unnest(account_ids) as a;
  return query
    select 'webhooks', w.id, w.account_id, w.mode from public.webhook_endpoints w
    left join public.webhook_lanes l on l.endpoint_id = w.id
    where w.account_id = any(account_ids) and w.enabled
      and (l.owner is null or l.expires_at <= now()) and (l.paused_until is null or l.paused_until <= now())
      and exists (select from public.webhook_deliveries d
        where d.endpoint_id = w.id and d.status = 'pending' and d.next_attempt_at <= now());
  return query
    select distinct 'triggers', c.account_id, c.account_id, c.mode from public.trigger_checks c
    where c.account_id = any(account_ids) and (c.claimed_until is null or c.claimed_until <= now());
end $$;
revoke all on function app.announced(uuid[], text[], text[]) from public;
grant execute on function app.announced(uuid[], text[], text[]) to service_role;

create or replace procedure app.prepare_partitions()
  language plpgsql security definer set search_path = ''
as $$
declare
  parent text;
begin
  foreach parent in array array['messages', 'events', 'webhook_deliveries', 'webhook_attempts'] loop
    call app.make_partitions(('public.' || parent)::regclass, current_date - 7, current_date + 28);
  end loop;
end $$;
