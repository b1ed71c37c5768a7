import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import type { Context } from '../../platform/context.ts';
import type { Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { OutboundHttp, OutboundPolicy } from '../../platform/net/outbound-http.ts';
import type { FindSessionProblems } from '../sessions/named-sessions.service.ts';
import { changeTrigger, createTrigger, existing, revealSecret, type TriggerChange } from './save-trigger.ts';
import { showTrigger, type TriggerWithSecret } from './show-trigger.ts';
import { triggerErrors } from './triggers.errors.ts';
import type { TriggerSettings } from './triggers.model.ts';
import type { TriggerView } from './triggers.schema.ts';
import * as store from './triggers.store.ts';

export interface TriggersDependencies {
  database: Database;
  vault: Vault;
  newUuid: NewUuid;
  randomBytes: (size: number) => Uint8Array;
  clock: Clock;
  outbound: Pick<OutboundHttp, 'check'>;
  /** What addresses a `reply_url` of a mode may have. */
  policyFor: (mode: Mode) => OutboundPolicy;
  sessionProblems: FindSessionProblems;
}

/** The use cases of triggers. Ids are UUIDs; a key sees its account and mode only. */
export interface TriggersService {
  /** @throws request.invalid, trigger.url_refused, trigger.session_not_found, trigger.not_in_plan, trigger.too_many */
  create(ctx: Context, settings: TriggerSettings): Promise<TriggerWithSecret>;
  /** Newest first, each with its UUID. */
  list(
    ctx: Context,
    page: { limit: number; after?: string | undefined },
  ): Promise<{ id: string; view: TriggerView }[]>;
  /** @throws trigger.not_found */
  get(ctx: Context, id: string): Promise<TriggerView>;
  /** @throws trigger.not_found and what `create` throws */
  update(ctx: Context, id: string, change: TriggerChange): Promise<TriggerView>;
  /** @throws trigger.not_found */
  remove(ctx: Context, id: string): Promise<void>;
  /** Null where it never had a `reply_url`. @throws trigger.not_found */
  secret(ctx: Context, id: string): Promise<string | null>;
}

export function createTriggersService(deps: TriggersDependencies): TriggersService {
  const { database } = deps;
  return {
    create: (ctx, settings) => createTrigger(deps, ctx, settings),

    async list(ctx, page) {
      const rows = await database.accountOnce(ctx, (tx) => store.listTriggers(tx, page));
      return rows.map((row) => ({ id: row.id, view: showTrigger(row) }));
    },

    get: async (ctx, id) =>
      showTrigger(existing(await database.accountOnce(ctx, (tx) => store.findTrigger(tx, id)))),

    update: async (ctx, id, change) => showTrigger(await changeTrigger(deps, ctx, id, change)),

    async remove(ctx, id) {
      if (!(await database.accountOnce(ctx, (tx) => store.deleteTrigger(tx, id)))) {
        throw triggerErrors.notFound();
      }
    },

    secret: (ctx, id) => revealSecret(deps, ctx, id),
  };
}
