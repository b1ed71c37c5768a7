import type { Clock } from '../../lib/clock.ts';
import type { NewUuid } from '../../lib/ids.ts';
import type { Context } from '../../platform/context.ts';
import type { Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import type { SessionWaker } from '../sessions/sessions.service.ts';
import { type AcceptedReply, acceptReply, type Reply } from './accept-reply.ts';
import { messageErrors } from './messages.errors.ts';
import type { MessageRow } from './messages.model.ts';
import type { MessageView } from './messages.schema.ts';
import * as store from './messages.store.ts';
import { type SendInput, type Sent, sendMessage } from './send-message.ts';
import { showMessage } from './show-message.ts';

export interface MessagesDependencies {
  database: Database;
  vault: Vault;
  waker: SessionWaker;
  newUuid: NewUuid;
  randomBytes: (size: number) => Uint8Array;
  clock: Clock;
  /** Called with the account after a fact was committed. */
  onFact: (accountId: string) => void;
}

/** The use cases of messages. Throws problems with pointers into the body of `POST /v1/messages`. */
export interface MessagesService {
  /** Accepts a message; when it resolves, the message is stored and will be sent. */
  send(ctx: Context, input: SendInput): Promise<Sent>;
  /**
   * Accepts what a trigger answers, in the trigger's own transaction: the message is there once that is committed, and
   * sent soon after `committed` is called.
   */
  acceptIn(tx: AccountTx, ctx: Context, reply: Reply): Promise<AcceptedReply>;
  /** @throws message.not_found */
  get(ctx: Context, id: string): Promise<MessageView>;
  /** Newest first, each with its UUID. */
  list(ctx: Context, filter: store.MessageFilter): Promise<{ id: string; message: MessageView }[]>;
  /** Messages by UUID as they are now, for those who show events. Unknown ids are absent. */
  load(ctx: Context, ids: readonly string[]): Promise<Map<string, MessageView>>;
}

export function createMessagesService(deps: MessagesDependencies): MessagesService {
  const { database, vault } = deps;

  async function show(
    ctx: Context,
    rows: readonly MessageRow[],
  ): Promise<{ id: string; message: MessageView }[]> {
    const cipher = await vault.of(ctx.accountId);
    return rows.map((row) => ({ id: row.id, message: showMessage(row, cipher) }));
  }

  return {
    send: (ctx, input) => sendMessage(deps, ctx, input),

    acceptIn: (tx, ctx, reply) => acceptReply(deps, tx, ctx, reply),

    async get(ctx, id) {
      const [found] = await show(ctx, await database.accountOnce(ctx, (tx) => store.findMessages(tx, [id])));
      if (found === undefined) throw messageErrors.notFound();
      return found.message;
    },

    list: async (ctx, filter) =>
      show(ctx, await database.accountOnce(ctx, (tx) => store.listMessages(tx, filter))),

    async load(ctx, ids) {
      const found = await show(ctx, await database.accountOnce(ctx, (tx) => store.findMessages(tx, ids)));
      return new Map(found.map(({ id, message }) => [id, message]));
    },
  };
}
