-- What is under audit. A later table that customers change gets its own `call app.audit_changes(...)`; a test walks the
-- catalogue and names those that have none.
call app.audit_changes('accounts', '{id}');
call app.audit_changes('account_closures', '{account_id}', '{requested_at, erase_at}');
call app.audit_changes('account_exports', '{id}', '{created_at}');
call app.audit_changes('members', '{user_id}', '{role}');
call app.audit_changes('invitations', '{id}');
call app.audit_changes('api_keys', '{id}',
  '{mode, name, hint, scopes, allowed_ips, expires_at, revoked_at, rotated_to}');
-- What customers ask of a session; what becomes of it is in its events.
call app.audit_changes('sessions', '{id}', '{mode, name, desired, generation, pacing}');
call app.audit_changes('webhook_endpoints', '{id}',
  '{mode, url, description, events, session_ids, headers, secret, enabled, disabled_reason}');
call app.audit_changes('triggers', '{id}',
  '{mode, name, session_ids, match, pattern, fold_case, fold_accents, reply, reply_url, secret, fallback_reply, priority,
    cooldown_seconds, active_hours, include_groups, max_in_a_row, enabled}');
-- By the provider's own id, which is what a customer can look up there.
call app.audit_changes('provider_subscriptions', '{provider_subscription_id}',
  '{provider, plan, interval, currency, amount, cancel_asked, scheduled_plan, scheduled_interval}');
call app.audit_changes('subscriptions', '{account_id}', '{plan, status, trial_ends_at}');
