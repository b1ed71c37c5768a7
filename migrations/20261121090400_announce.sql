-- Appends a fact in the caller's transaction and scope. Slices announce through this, not by writing to the table.
create function app.announce(
  id uuid, account_id uuid, mode text, type text, session_id uuid, message_id uuid, data jsonb, created_at timestamptz
) returns void
  language sql volatile set search_path = ''
  as $$
    insert into public.events (id, account_id, mode, type, session_id, message_id, data, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
  $$;
