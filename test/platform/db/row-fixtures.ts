import { randomBytes } from 'node:crypto';
import { newUuid } from '../../../src/lib/ids.ts';

export interface Fixture {
  /** A row of account A in test mode that can be inserted. */
  row: () => Record<string, unknown>;
  /** A column that the account scope may write, where it may write any. */
  writes: string;
  /** Columns that name the row. */
  key: string[];
}

/** Rows that others refer to, made before the tests. */
export const seeds = {
  account: '',
  session: '',
  keyId: '',
  endpoint: '',
  user: '',
  trigger: '',
  bare: { account: '', session: '' },
};

const uuid = () => newUuid();
const bytes = () => randomBytes(8);
const owned = () => ({ account_id: seeds.account, mode: 'test' });
export const FIXTURES: Record<string, Fixture> = {
  accounts: { row: () => ({ id: uuid(), name: 'x' }), writes: 'name', key: ['id'] },
  account_data_keys: {
    row: () => ({ account_id: seeds.bare.account, wrapped_key: bytes() }),
    writes: 'wrapped_key',
    key: ['account_id'],
  },
  api_keys: {
    row: () => ({ id: uuid(), ...owned(), name: 'x', hash: bytes(), hint: 'pk', scopes: [] }),
    writes: 'name',
    key: ['id'],
  },
  idempotency_keys: {
    row: () => ({ ...owned(), key: uuid(), request_hash: bytes() }),
    writes: 'status',
    key: ['account_id', 'mode', 'key'],
  },
  sessions: { row: () => ({ id: uuid(), ...owned(), name: 'x' }), writes: 'name', key: ['id'] },
  session_leases: {
    row: () => ({ session_id: seeds.bare.session, ...owned() }),
    writes: 'wanted',
    key: ['session_id'],
  },
  session_credentials: {
    row: () => ({ session_id: seeds.session, account_id: seeds.account, sealed: bytes() }),
    writes: 'sealed',
    key: ['session_id'],
  },
  session_keys: {
    row: () => ({
      session_id: seeds.session,
      account_id: seeds.account,
      kind: 'k',
      key_id: uuid(),
      sealed: bytes(),
    }),
    writes: 'sealed',
    key: ['session_id', 'kind', 'key_id'],
  },
  workers: { row: () => ({ id: uuid(), mode: 'test' }), writes: 'leaving', key: ['id'] },
  messages: {
    row: () => ({
      ...{ id: uuid(), ...owned(), session_id: seeds.session, direction: 'outbound', type: 'text' },
      ...{ wire_id: uuid(), status: 'queued', accepted_at: new Date() },
    }),
    writes: 'status',
    key: ['id'],
  },
  events: {
    row: () => ({ id: uuid(), ...owned(), type: 'x', data: {}, created_at: new Date() }),
    writes: 'type',
    key: ['id'],
  },
  contact_identities: {
    row: () => ({ ...owned(), lid: uuid(), phone: '1' }),
    writes: 'phone',
    key: ['account_id', 'mode', 'lid'],
  },
  webhook_endpoints: {
    row: () => ({ id: uuid(), ...owned(), url: 'https://example.com', events: ['*'], secret: bytes() }),
    writes: 'url',
    key: ['id'],
  },
  webhook_deliveries: {
    row: () => ({
      ...{ id: uuid(), ...owned(), endpoint_id: uuid(), event_id: uuid() },
      ...{ event_type: 'x', event_at: new Date() },
    }),
    writes: 'status',
    key: ['id'],
  },
  webhook_attempts: {
    row: () => ({
      ...{ id: uuid(), ...owned(), delivery_id: uuid(), endpoint_id: uuid() },
      ...{ number: 1, started_at: new Date() },
    }),
    writes: 'outcome',
    key: ['id'],
  },
  webhook_lanes: {
    row: () => ({ endpoint_id: seeds.endpoint, ...owned() }),
    writes: 'owner',
    key: ['endpoint_id'],
  },
  triggers: {
    row: () => ({ id: uuid(), ...owned(), name: 'x', match: 'any' }),
    writes: 'name',
    key: ['id'],
  },
  trigger_senders: {
    row: () => ({ trigger_id: seeds.trigger, ...owned(), contact: uuid(), last_fired_at: new Date() }),
    writes: 'last_fired_at',
    key: ['trigger_id', 'contact'],
  },
  trigger_checks: {
    row: () => ({ message_id: uuid(), ...owned(), session_id: seeds.session }),
    writes: 'attempts',
    key: ['message_id'],
  },
  mails: {
    row: () => ({
      ...{ id: uuid(), account_id: seeds.account, template: 'magic_link' },
      ...{ status: 'queued', created_at: new Date() },
    }),
    writes: 'status',
    key: ['id'],
  },
  account_closures: {
    row: () => ({
      ...{ account_id: seeds.bare.account, id: uuid(), requested_at: new Date(), erase_at: new Date() },
      session_ids: [],
    }),
    writes: 'erase_at',
    key: ['account_id'],
  },
  account_exports: {
    row: () => ({ id: uuid(), account_id: seeds.account, created_at: new Date() }),
    writes: 'bytes',
    key: ['id'],
  },
  account_alerts: {
    row: () => ({
      ...{ id: uuid(), ...owned(), kind: 'new_network', subject: uuid(), detail: {} },
      ...{ first_at: new Date(), last_at: new Date() },
    }),
    writes: 'count',
    key: ['id'],
  },
  key_networks: {
    row: () => ({ key_id: seeds.keyId, account_id: seeds.account, network: '203.0.0.0/16' }),
    writes: 'last_at',
    key: ['key_id', 'network'],
  },
  key_countries: {
    row: () => ({ key_id: seeds.keyId, account_id: seeds.account, country: 'IN' }),
    writes: 'last_at',
    key: ['key_id', 'country'],
  },
  'app.erasures': {
    row: () => ({ id: uuid(), requested_at: new Date(), deleted: {} }),
    writes: 'deleted',
    key: ['id'],
  },
  'app.legal_records': {
    row: () => ({ id: uuid(), kind: 'invoices', record: {}, keep_until: new Date() }),
    writes: 'keep_until',
    key: ['id'],
  },
  'app.legal_tables': {
    row: () => ({ name: uuid(), columns: [], keep_years: 1 }),
    writes: 'keep_years',
    key: ['name'],
  },
  subscriptions: {
    row: () => ({ account_id: seeds.account, plan: 'starter', status: 'free' }),
    writes: 'plan',
    key: ['account_id'],
  },
  provider_subscriptions: {
    row: () => ({
      ...{
        id: uuid(),
        account_id: seeds.account,
        provider: 'stripe',
        provider_subscription_id: uuid(),
        plan: 'starter',
      },
      ...{ interval: 'month', currency: 'USD', amount: 1, status: 'active', renews: true },
    }),
    writes: 'status',
    key: ['id'],
  },
  billing_customers: {
    row: () => ({
      account_id: seeds.account,
      provider: 'stripe',
      merchant: uuid(),
      provider_customer_id: 'cus_1',
    }),
    writes: 'provider_customer_id',
    key: ['account_id', 'provider', 'merchant'],
  },
  invoices: {
    row: () => ({
      ...{
        id: uuid(),
        account_id: seeds.account,
        provider: 'stripe',
        provider_invoice_id: uuid(),
        number: '1',
      },
      ...{ status: 'paid', amount: 1, currency: 'USD', issued_at: new Date() },
    }),
    writes: 'status',
    key: ['id'],
  },
  payment_events: {
    row: () => ({ provider: 'stripe', event_id: uuid(), account_id: seeds.account, type: 'x' }),
    writes: 'type',
    key: ['provider', 'event_id'],
  },
  quotas: {
    row: () => ({
      ...{ ...owned(), message_limit: 1, overage: 'refuse', unreserved: 1 },
      ...{ anchor: new Date(), period_start: new Date(), period_end: new Date() },
    }),
    writes: 'unreserved',
    key: ['account_id', 'mode'],
  },
  message_credit: {
    row: () => ({ ...owned(), shard: 1, period_end: new Date(), credit: 1 }),
    writes: 'credit',
    key: ['account_id', 'mode', 'shard'],
  },
  'app.plans': {
    row: () => ({ id: uuid(), position: 9, name: 'x' }),
    writes: 'name',
    key: ['id'],
  },
  'app.plan_prices': {
    row: () => ({ plan: 'trial', interval: 'month', currency: 'USD', amount: 1 }),
    writes: 'amount',
    key: ['plan', 'interval', 'currency'],
  },
  'app.provider_prices': {
    row: () => ({
      ...{ provider: 'stripe', merchant: uuid(), plan: 'trial', interval: 'month', currency: 'USD' },
      ...{ amount: 1, provider_price_id: uuid() },
    }),
    writes: 'provider_price_id',
    key: ['merchant'],
  },
  'app.billing_settings': {
    row: () => ({ one: false, base_plan: 'trial' }),
    writes: 'base_plan',
    key: ['one'],
  },
  'app.growing_tables': { row: () => ({ name: uuid(), keep_days: 1 }), writes: 'keep_days', key: ['name'] },
  'app.purge_runs': { row: () => ({ id: uuid() }), writes: 'contents', key: ['id'] },
  'app.content_marks': { row: owned, writes: 'read_id', key: ['account_id', 'mode'] },
  'app.content_waits': {
    row: () => ({ message_id: uuid(), ...owned(), since: new Date() }),
    writes: 'since',
    key: ['message_id'],
  },
  'app.content_graces': {
    row: () => ({ account_id: seeds.account, until: new Date(), days: 90 }),
    writes: 'mailed_at',
    key: ['account_id', 'until'],
  },
  users: { row: () => ({ id: uuid(), email: `${uuid()}@example.com` }), writes: 'name', key: ['id'] },
  members: {
    row: () => ({ account_id: seeds.account, user_id: seeds.user, role: 'viewer' }),
    writes: 'role',
    key: ['account_id', 'user_id'],
  },
  invitations: {
    row: () => ({
      ...{ id: uuid(), account_id: seeds.account, email: `${uuid()}@example.com`, role: 'viewer' },
      ...{ token_hash: bytes(), created_at: new Date(), expires_at: new Date() },
    }),
    writes: 'role',
    key: ['id'],
  },
  sign_ins: {
    row: () => ({
      ...{ id: uuid(), user_id: seeds.user, refresh_hash: bytes() },
      ...{ refreshed_at: new Date(), created_at: new Date(), expires_at: new Date() },
    }),
    writes: 'expires_at',
    key: ['id'],
  },
  used_links: { row: () => ({ hash: bytes() }), writes: 'used_at', key: ['hash'] },
  audit_log: {
    row: () => ({
      ...{ id: uuid(), ...owned(), at: new Date(), actor_type: 'system' },
      ...{ action: 'created', target_type: 'sessions', target_id: uuid() },
    }),
    writes: 'action',
    key: ['id'],
  },
  activity_log: {
    row: () => ({
      ...{ id: uuid(), ...owned(), at: new Date(), method: 'GET', route: '/', status: 200 },
      ...{ duration_ms: 1, request_id: 'x' },
    }),
    writes: 'status',
    key: ['id'],
  },
  usage_counts: {
    row: () => ({
      ...{ ...owned(), metric: 'requests', minutes: 60, start: '2026-01-01', key_id: uuid() },
      ...{ status: '200', count: 1 },
    }),
    writes: 'count',
    key: ['account_id', 'key_id'],
  },
  usage_cursors: { row: owned, writes: 'txid', key: ['account_id', 'mode'] },
  'app.usage_progress': {
    row: () => ({ only_row: true, counted_at: new Date() }),
    writes: 'counted_at',
    key: ['only_row'],
  },
  'app.rate_limits': { row: () => ({ key: uuid() }), writes: 'points', key: ['key'] },
};
