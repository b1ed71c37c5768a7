import type { PingrError } from '../../lib/errors.ts';
import type { Context } from '../../platform/context.ts';
import type { AccountTx } from '../../platform/db/scope.ts';
import { acceptMessageIn } from './accept-message.ts';
import { sealContent } from './message-content.ts';
import { newWireId } from './messages.model.ts';
import type { MessagesDependencies } from './messages.service.ts';
import { refusalOf } from './send-message.ts';

/** A text that a trigger answers. Ids are UUIDs. */
export interface Reply {
  sessionId: string;
  /** Digits. */
  to: string;
  text: string;
  triggerId: string;
}

export type AcceptedReply =
  | {
      refused?: undefined;
      /** UUID of the message. */
      id: string;
      /** To call after the commit: wakes whoever sends the message. */
      committed: () => void;
    }
  /** Nothing was stored, and the transaction can go on. */
  | { refused: PingrError };

/** Accepts an automated message as part of the caller's transaction: the same path as one that the API accepts. */
export async function acceptReply(
  deps: MessagesDependencies,
  tx: AccountTx,
  ctx: Context,
  { sessionId, to, text, triggerId }: Reply,
): Promise<AcceptedReply> {
  const { accountId, mode } = ctx;
  const cipher = await deps.vault.of(accountId);
  const at = deps.clock.now();
  const id = deps.newUuid();
  const accepted = await acceptMessageIn(tx, {
    id,
    eventId: deps.newUuid(),
    accountId,
    mode,
    sessionId,
    to,
    type: 'text',
    sealedContent: sealContent({ text: { body: text } }, id, cipher),
    contextMessageId: undefined,
    wireId: newWireId(deps.randomBytes),
    at,
    triggerId,
    idempotency: undefined,
  });
  const refused = refusalOf(accepted, '/session');
  if (refused !== undefined) return { refused };
  return {
    id,
    committed() {
      deps.waker.wake({ id: sessionId, mode, owner: accepted.owner ?? undefined });
      deps.onFact(accountId);
    },
  };
}
