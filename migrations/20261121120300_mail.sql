-- Where Pingr writes to the people behind an account.
alter table accounts add column email text check (length(email) between 3 and 254);
grant update (email) on accounts to pingr_account;

-- Mails to send, appended in the transaction of what they are about. Purged after 30 days.
create table mails (
  id uuid primary key,
  -- Null for people without an account.
  account_id uuid references accounts on delete cascade,
  template text not null,
  -- Recipient, subject and text as JSON, sealed: under the account's data key, or the server's own where there is no
  -- account. Forgotten once sent.
  content bytea,
  -- `kept`: there was no mail server to send it by; it waits in the mailbox of the installation.
  status text not null check (status in ('queued', 'sent', 'failed', 'kept')),
  attempts smallint not null default 0,
  -- When its job was last added or tried; null where it has none yet.
  handed_at timestamptz,
  -- Stable word for what went wrong last.
  last_error text,
  created_at timestamptz not null,
  sent_at timestamptz
);
create index on mails (handed_at) where status = 'queued';
create index on mails (account_id);
create index on mails (created_at);
call app.protect('mails', 'account_id', 'insert');
