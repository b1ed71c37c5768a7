import { type IdKind, toId } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';

export const ACTIONS = ['created', 'updated', 'deleted'] as const;
export const ACTOR_TYPES = ['api_key', 'user', 'system'] as const;

/** A change as it was written. */
export interface AuditRow {
  id: string;
  mode: Mode | null;
  at: Date;
  actor_type: (typeof ACTOR_TYPES)[number];
  actor_id: string | null;
  /** Name of the key, or e-mail address of the user, as long as there is one. */
  actor_name: string | null;
  ip: string | null;
  user_agent: string | null;
  request_id: string | null;
  action: (typeof ACTIONS)[number];
  /** A table. */
  target_type: string;
  target_id: string;
  changed: string[] | null;
  before: Record<string, unknown> | null;
  after: Record<string, unknown> | null;
}

/** What is under audit, by table: what it is called in public, and the kind of its id where that is ours. */
export const TARGETS: Readonly<Record<string, { name: string; id?: IdKind }>> = {
  accounts: { name: 'account', id: 'account' },
  account_closures: { name: 'account_closure', id: 'account' },
  account_exports: { name: 'account_export', id: 'accountExport' },
  members: { name: 'member', id: 'user' },
  invitations: { name: 'invitation', id: 'invitation' },
  api_keys: { name: 'api_key', id: 'apiKey' },
  sessions: { name: 'session', id: 'session' },
  webhook_endpoints: { name: 'webhook_endpoint', id: 'webhookEndpoint' },
  triggers: { name: 'trigger', id: 'trigger' },
  provider_subscriptions: { name: 'provider_subscription' },
  subscriptions: { name: 'subscription', id: 'account' },
};

export const TARGET_NAMES = Object.values(TARGETS).map(({ name }) => name);

/** The table of a target's public name. */
export function tableOf(name: string): string | undefined {
  return Object.keys(TARGETS).find((table) => TARGETS[table]?.name === name);
}

/** What was changed, in public names. */
export function targetOf({ target_type, target_id }: Pick<AuditRow, 'target_type' | 'target_id'>): {
  type: string;
  id: string;
} {
  const target = TARGETS[target_type];
  const id = target?.id === undefined ? target_id : toId(target.id, target_id);
  return { type: target?.name ?? target_type, id };
}

/** Columns that hold ids, by the kind of id. */
const ID_COLUMNS: Readonly<Record<string, IdKind>> = {
  user_id: 'user',
  invited_by: 'user',
  rotated_to: 'apiKey',
  session_ids: 'session',
};

/** One side of a change with public ids. */
export function publicImage(
  image: Record<string, unknown> | null,
  targetType: string,
): Record<string, unknown> | null {
  if (image === null) return null;
  return Object.fromEntries(
    Object.entries(image).map(([column, value]) => {
      const kind = column === 'id' ? TARGETS[targetType]?.id : ID_COLUMNS[column];
      return [column, kind === undefined ? value : withIds(kind, value)];
    }),
  );
}

function withIds(kind: IdKind, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => withIds(kind, one));
  return typeof value === 'string' && /^[0-9a-f-]{36}$/.test(value) ? toId(kind, value) : value;
}
