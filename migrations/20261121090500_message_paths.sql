-- How far a message has come. Receipts only move it forward, and nothing moves it once it failed.
create function app.message_rank(status text) returns integer
  language sql immutable set search_path = ''
  as $$
    select case status
      when 'queued' then 0 when 'sending' then 1 when 'sent' then 2
      when 'delivered' then 3 when 'read' then 4 when 'played' then 5 else 9 end
  $$;

-- What an event remembers of a message: everything that changes, nothing that it says.
create function app.message_snapshot(m public.messages) returns jsonb
  language sql stable set search_path = ''
  as $$
    select jsonb_strip_nulls(jsonb_build_object(
      'status', m.status, 'error_code', m.error_code, 'error_detail', m.error_detail, 'wire_code', m.wire_code,
      'sending_at', m.sending_at, 'sent_at', m.sent_at, 'delivered_at', m.delivered_at,
      'read_at', m.read_at, 'played_at', m.played_at, 'failed_at', m.failed_at))
  $$;

-- Accepts one outbound message: idempotency record, session, quoted message, the message and its fact, in one
-- statement, which the API runs in the account's scope. `outcome` says what happened; only `accepted` stored anything.
create function app.accept_message(
  p_id uuid, p_event_id uuid, p_account_id uuid, p_mode text, p_session_id uuid, p_to text, p_type text, p_content bytea,
  p_context_id uuid, p_wire_id text, p_at timestamptz,
  p_key text, p_request_hash bytea, p_answer_status smallint, p_answer bytea,
  out outcome text, out owner uuid, out status text, out answer_status smallint, out answer bytea
) language plpgsql set search_path = ''
as $$
declare
  session public.sessions;
  quoted_wire_id text;
  stored public.idempotency_keys;
  message public.messages;
begin
  if p_key is not null then
    insert into public.idempotency_keys as k (account_id, mode, key, request_hash, status, response)
      values (p_account_id, p_mode, p_key, p_request_hash, p_answer_status, p_answer)
      on conflict (account_id, mode, key) do update
        set request_hash = excluded.request_hash, status = excluded.status, response = excluded.response, created_at = now()
        where k.created_at < now() - interval '24 hours';
    if not found then
      select * into stored from public.idempotency_keys k
        where k.account_id = p_account_id and k.mode = p_mode and k.key = p_key;
      outcome := case when stored.request_hash <> p_request_hash then 'key_reused'
        when stored.status is null then 'in_progress' else 'replayed' end;
      answer_status := stored.status;
      answer := stored.response;
      return;
    end if;
  end if;

  select * into session from public.sessions s where s.id = p_session_id and s.desired <> 'deleted';
  outcome := case
    when session.id is null then 'session_not_found'
    when session.phone is null or session.desired <> 'running'
      or session.status not in ('starting', 'connecting', 'connected', 'disconnected') then 'session_not_linked' end;
  status := session.status;
  if outcome is null and p_context_id is not null then
    select m.wire_id into quoted_wire_id from public.messages m where m.id = p_context_id and m.session_id = p_session_id;
    if quoted_wire_id is null then
      outcome := 'context_not_found';
    end if;
  end if;
  if outcome is not null then
    delete from public.idempotency_keys k where k.account_id = p_account_id and k.mode = p_mode and k.key = p_key;
    return;
  end if;

  insert into public.messages (id, account_id, mode, session_id, direction, contact_phone, type, content,
      context_message_id, context_wire_id, wire_id, status, accepted_at)
    values (p_id, p_account_id, p_mode, p_session_id, 'outbound', p_to, p_type, p_content,
      p_context_id, quoted_wire_id, p_wire_id, 'queued', p_at)
    returning * into message;
  perform app.announce(p_event_id, p_account_id, p_mode, 'message.queued', p_session_id, p_id,
    app.message_snapshot(message), p_at);
  select l.owner into owner from public.session_leases l where l.session_id = p_session_id and l.expires_at > now();
  outcome := 'accepted';
end $$;
