-- A reply quotes a message of its own conversation only: what one contact wrote is not shown to another.

-- Whether a message with this contact is one with the number (digits): by the number, or by a LID that is known to be
-- the number's. Numbers may be written in a way that WhatsApp itself does not use (Brazil, Mexico): then what was sent to
-- them before says whose they are.
create function app.is_with(p_phone text, p_lid text, p_number text, p_account_id uuid, p_mode text) returns boolean
  language sql stable set search_path = ''
as $$
  select coalesce(p_phone = p_number, false) or p_lid is not null and (
    exists (select from public.contact_identities c
      where c.account_id = p_account_id and c.mode = p_mode and c.lid = p_lid and c.phone = p_number)
    or p_lid = (select m.contact_lid from public.messages m
      where m.account_id = p_account_id and m.contact_phone = p_number and m.mode = p_mode and m.contact_lid is not null
      order by m.id desc limit 1));
$$;
revoke all on function app.is_with(text, text, text, uuid, text) from public;
grant execute on function app.is_with(text, text, text, uuid, text) to pingr_account, service_role;

drop function app.accept_message(uuid, uuid, uuid, text, uuid, text, text, bytea, uuid, text, timestamptz, text, bytea, smallint, bytea,
  boolean, uuid);

-- Accepts one outbound message: idempotency record, session, quoted message, quota, the message and its fact, in one
-- statement, which the API runs in the account's scope, and a worker in the transaction in which a trigger fires.
-- `outcome` says what happened; only `accepted` stored anything. `context_wire_id` is WhatsApp's id of the quoted message.
create function app.accept_message(
  p_id uuid, p_event_id uuid, p_account_id uuid, p_mode text, p_session_id uuid, p_to text, p_type text, p_content bytea,
  p_context_id uuid, p_wire_id text, p_at timestamptz,
  p_key text, p_request_hash bytea, p_answer_status smallint, p_answer bytea,
  p_automated boolean, p_trigger_id uuid,
  out outcome text, out owner uuid, out status text, out answer_status smallint, out answer bytea,
  out context_wire_id text
) language plpgsql set search_path = ''
as $$
declare
  session public.sessions;
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
    select m.wire_id into context_wire_id from public.messages m
      where m.id = p_context_id and m.session_id = p_session_id
        and app.is_with(m.contact_phone, m.contact_lid, p_to, p_account_id, p_mode);
    if context_wire_id is null then
      outcome := 'context_not_found';
    end if;
  end if;
  if outcome is null and not app.take_message(p_account_id, p_mode) then
    outcome := 'quota_reached';
  end if;
  if outcome is not null then
    delete from public.idempotency_keys k where k.account_id = p_account_id and k.mode = p_mode and k.key = p_key;
    return;
  end if;

  insert into public.messages (id, account_id, mode, session_id, direction, contact_phone, type, content,
      context_message_id, context_wire_id, wire_id, status, accepted_at, automated, trigger_id)
    values (p_id, p_account_id, p_mode, p_session_id, 'outbound', p_to, p_type, p_content,
      p_context_id, context_wire_id, p_wire_id, 'queued', p_at, p_automated, p_trigger_id)
    returning * into message;
  perform app.announce(p_event_id, p_account_id, p_mode, 'message.queued', p_session_id, p_id,
    app.message_snapshot(message), p_at);
  select l.owner into owner from public.session_leases l where l.session_id = p_session_id and l.expires_at > now();
  outcome := 'accepted';
end $$;
