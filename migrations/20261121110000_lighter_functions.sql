-- Bodies that Postgres parses at once, and may therefore put in the place of the call: a function with a setting of its
-- own (`set search_path`) never is, and the policies of every table call these in every statement.
create or replace function app.claims() returns jsonb
  language sql stable parallel safe
  return coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb;

create or replace function app.account_id() returns uuid
  language sql stable parallel safe
  return case when (app.claims() ->> 'iss') = 'pingr' then (app.claims() ->> 'account_id')::uuid end;

create or replace function app.mode() returns text
  language sql stable parallel safe
  return case when (app.claims() ->> 'iss') = 'pingr' then app.claims() ->> 'mode' end;

create or replace function app.message_rank(status text) returns integer
  language sql immutable parallel safe
  return case status
    when 'queued' then 0 when 'sending' then 1 when 'sent' then 2
    when 'delivered' then 3 when 'read' then 4 when 'played' then 5 else 9 end;

create or replace function app.message_snapshot(m public.messages) returns jsonb
  language sql stable parallel safe
  return jsonb_strip_nulls(jsonb_build_object(
    'status', m.status, 'error_code', m.error_code, 'error_detail', m.error_detail, 'wire_code', m.wire_code,
    'sending_at', m.sending_at, 'sent_at', m.sent_at, 'delivered_at', m.delivered_at,
    'read_at', m.read_at, 'played_at', m.played_at, 'failed_at', m.failed_at));
