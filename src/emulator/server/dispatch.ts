import { acknowledgementKey } from '../network/delivery-queue.ts';
import { element, type WireNode } from '../wire/node.ts';
import { answerIq } from './answer-iq.ts';
import { routeChatState, routePresence } from './presence.ts';
import { routeMessage } from './route-message.ts';
import { routeReceipt } from './route-receipt.ts';
import type { Session } from './session.ts';

/** Does what a logged-in companion's stanza asks for. */
export function dispatch(session: Session, node: WireNode): void {
  switch (node.tag) {
    case 'message':
      return routeMessage(session, node);
    case 'receipt':
      return routeReceipt(session, node);
    case 'ack':
      return acknowledge(session, node);
    case 'iq':
      return answerIq(session, node);
    case 'presence':
      return routePresence(session, node);
    case 'chatstate':
      return routeChatState(session, node);
    case 'call':
      return session.connection.send(element('ack', { class: 'call', id: node.attrs['id'] }));
    default:
      // `ib` carries telemetry only.
      return;
  }
}

function acknowledge({ device }: Session, { attrs }: WireNode): void {
  const { class: tag, id, type } = attrs;
  if (tag !== undefined && id !== undefined) {
    device.queue.acknowledge(acknowledgementKey(tag, { id, ...(type !== undefined && { type }) }));
  }
}
