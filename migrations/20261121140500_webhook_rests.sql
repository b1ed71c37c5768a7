-- A receiver's rest belongs to its endpoint and not to the lane: whoever may change the endpoint ends the rest in the same
-- transaction, and sees how long it lasts.
alter table webhook_endpoints
  -- The receiver asked to be left alone until then (Retry-After).
  add column resting_until timestamptz,
  -- The last failed attempt, to within a minute: a later one that comes long after it begins a new run of failures.
  add column last_failure_at timestamptz;
update webhook_endpoints e set resting_until = l.paused_until
  from webhook_lanes l where l.endpoint_id = e.id and l.paused_until > now();
alter table webhook_lanes drop column paused_until;

-- Samples that nobody has tried: they go out also while the receiver rests.
create index on webhook_deliveries (endpoint_id) where sample and status = 'pending';

create or replace function app.announced(account_ids uuid[], channels text[], payloads text[])
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
      and (l.owner is null or l.expires_at <= now()) and (w.resting_until is null or w.resting_until <= now())
      and exists (select from public.webhook_deliveries d
        where d.endpoint_id = w.id and d.status = 'pending' and d.next_attempt_at <= now());
  return query
    select distinct 'triggers', c.account_id, c.account_id, c.mode from public.trigger_checks c
    where c.account_id = any(account_ids) and (c.claimed_until is null or c.claimed_until <= now());
end $$;
