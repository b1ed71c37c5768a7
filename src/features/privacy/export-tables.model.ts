import { type IdKind, toId } from '../../lib/ids.ts';

/** Tables with rows of accounts that an export leaves out, and why. Every other table is exported, new ones too. */
export const LEFT_OUT: Record<string, string> = {
  account_data_keys: 'the key itself; what it seals is exported opened',
  session_credentials: 'secrets of the link to WhatsApp',
  session_keys: 'secrets of the link to WhatsApp',
  session_leases: 'which process holds a socket',
  idempotency_keys: 'answers to repeated requests, kept for a day',
  webhook_lanes: 'which process delivers',
  trigger_checks: 'work under way',
  usage_cursors: 'how far counting has come',
  account_exports: 'exports themselves',
  'app.content_marks': 'how far a purge has come',
  'app.content_waits': 'work under way',
  'app.content_graces': 'shown as the setting of retention',
};

/**
 * Columns that are secrets though their type is text, or who asked for a change that is under way, which the audit log
 * holds once it is made. Bytes are sealed secrets throughout.
 */
const LEFT_OUT_COLUMNS: Record<string, readonly string[]> = {
  sessions: ['qr', 'pairing_code'],
  provider_subscriptions: ['asked_by'],
};

/** The column of messages that is opened instead of left out. */
const OPENED = 'messages.content';

/** What an export writes of a table's column. */
export function exportedColumns(
  table: string,
  columns: readonly { name: string; type: string }[],
): { name: string; opened: boolean }[] {
  const leftOut = LEFT_OUT_COLUMNS[table] ?? [];
  return columns
    .filter(
      ({ name, type }) => (type !== 'bytea' || `${table}.${name}` === OPENED) && !leftOut.includes(name),
    )
    .map(({ name }) => ({ name, opened: `${table}.${name}` === OPENED }));
}

/** Whose id a column holds, or whose ids. */
const KIND_OF_COLUMN: Record<string, IdKind> = {
  account_id: 'account',
  session_id: 'session',
  message_id: 'message',
  context_message_id: 'message',
  event_id: 'event',
  endpoint_id: 'webhookEndpoint',
  delivery_id: 'delivery',
  trigger_id: 'trigger',
  key_id: 'apiKey',
  rotated_to: 'apiKey',
  user_id: 'user',
  invited_by: 'user',
  session_ids: 'session',
  source_id: 'providerSubscription',
};

const KIND_OF_TABLE: Record<string, IdKind> = {
  accounts: 'account',
  api_keys: 'apiKey',
  sessions: 'session',
  messages: 'message',
  events: 'event',
  webhook_endpoints: 'webhookEndpoint',
  webhook_deliveries: 'delivery',
  webhook_attempts: 'attempt',
  triggers: 'trigger',
  account_alerts: 'alert',
  account_closures: 'accountClosure',
  activity_log: 'activity',
  audit_log: 'auditEntry',
  invitations: 'invitation',
  invoices: 'invoice',
  mails: 'mail',
  provider_subscriptions: 'providerSubscription',
};

/** A row as an archive holds it: ids in the form that the API shows. */
export function showExportedRow(table: string, row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => {
      const kind = column === 'id' ? KIND_OF_TABLE[table] : KIND_OF_COLUMN[column];
      return [column, kind === undefined ? value : withIds(kind, value)];
    }),
  );
}

function withIds(kind: IdKind, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => withIds(kind, one));
  return isUuid(value) ? toId(kind, value) : value;
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value);
}
