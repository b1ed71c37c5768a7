-- For dashboards that read through PostgREST with a Firebase token (role `authenticated`): counts of usage, and what is
-- known of sessions and messages beside their content. Read-only, and by membership of the token's user. Other columns
-- of these tables stay out of reach. `= any (array(…))` asks once a statement and lets an index find the accounts.
grant select on usage_counts to authenticated;
create policy member_reads on usage_counts for select to authenticated
  using (account_id = any (array(select app.my_accounts())));

grant select (id, account_id, mode, name, desired, status, status_code, status_detail, status_at, phone, display_name,
  linked_at, connected_at, created_at) on sessions to authenticated;
create policy member_reads on sessions for select to authenticated
  using (account_id = any (array(select app.my_accounts())));

grant select (id, account_id, mode, session_id, direction, contact_phone, type, status, error_code, attempts, accepted_at,
  sent_at, delivered_at, read_at, played_at, failed_at) on messages to authenticated;
create policy member_reads on messages for select to authenticated
  using (account_id = any (array(select app.my_accounts())));

-- With the rights of whoever reads, so that the policies above hold.
create view dashboard_usage with (security_invoker = true) as
  select account_id, mode, metric, minutes, start, session_id, key_id, user_id, status, count from usage_counts;

create view dashboard_sessions with (security_invoker = true) as
  select id, account_id, mode, name, status, status_code, status_detail, status_at, phone, display_name, linked_at,
    connected_at, created_at
  from sessions where desired <> 'deleted';

create view dashboard_messages with (security_invoker = true) as
  select id, account_id, mode, session_id, direction, contact_phone, type, status, error_code, attempts, accepted_at,
    sent_at, delivered_at, read_at, played_at, failed_at
  from messages;

-- Supabase grants everything on what is new in `public`.
revoke all on dashboard_usage, dashboard_sessions, dashboard_messages from public, anon, authenticated, service_role;
grant select on dashboard_usage, dashboard_sessions, dashboard_messages to authenticated;
