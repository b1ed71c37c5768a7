-- Which of two subscriptions was bought later, whichever was charged last; and who asked the provider for a change that is
-- under way, so that the audit log names them whoever writes first what came of it.
alter table provider_subscriptions
  -- Start of the first period that was seen.
  add column bought_at timestamptz,
  -- A cause (actor, ip, userAgent, requestId); null where nobody asks for anything now.
  add column asked_by jsonb,
  add column asked_until timestamptz;

do $$
begin
  perform set_config('role', 'service_role', true);
  update public.provider_subscriptions set bought_at = created_at where status <> 'incomplete';
  perform set_config('role', 'none', true);
end $$;
