-- What became of a payment after it arrived: refunds, and disputes at the payer's bank.
alter table invoices
  -- In minor units, as the provider has it in all; it falls again where a refund fails.
  add column amount_refunded bigint not null default 0 check (amount_refunded >= 0),
  add column refund_status text check (refund_status in ('partial', 'full')),
  -- The dispute that was opened last.
  add column provider_dispute_id text,
  add column dispute_status text check (dispute_status in ('open', 'under_review', 'won', 'lost', 'closed')),
  add column dispute_amount bigint,
  add column dispute_reason text,
  add column disputed_at timestamptz,
  -- Every look at the payment takes a ticket first; refunds and disputes are looked at apart.
  add column tickets bigint not null default 0,
  add column refund_ticket bigint not null default 0,
  add column dispute_ticket bigint not null default 0,
  add column refund_looked_at timestamptz,
  add column dispute_looked_at timestamptz;
create index on invoices (provider, provider_payment_id);
create index on invoices (dispute_looked_at) where dispute_status in ('open', 'under_review');

alter table payment_events
  add column provider_payment_id text,
  add column provider_dispute_id text;

update app.legal_tables set columns = columns || '{amount_refunded,refund_status,dispute_status}'
  where name = 'invoices';
