import { SERVER } from '../wire/jid.ts';
import { child, element, type WireNode } from '../wire/node.ts';
import { startDeliveries } from './deliveries.ts';
import { answerAppState } from './iq/app-state.ts';
import { answerCompanion } from './iq/companion.ts';
import { answerEncrypt } from './iq/encrypt.ts';
import type { IqAnswer } from './iq/iq-answer.ts';
import { answerUsync } from './iq/usync.ts';
import { type Session } from './session.ts';

/** Answers a query. Those the server does not know get an empty result and are counted, since clients wait for one. */
export function answerIq(session: Session, iq: WireNode): void {
  const { connection, emulation } = session;
  // A result answers something the server sent; nothing waits for it after login.
  if (iq.attrs['type'] !== 'get' && iq.attrs['type'] !== 'set') return;
  const answer = HANDLERS[iq.attrs['xmlns'] ?? '']?.(session, iq);
  if (answer === undefined) {
    emulation.counters.unknownIqs++;
    emulation.log.debug({ xmlns: iq.attrs['xmlns'], type: iq.attrs['type'] }, 'unknown iq');
  }
  if (answer !== 'silence') connection.send(resultOf(iq, answer));
  if (iq.attrs['xmlns'] === 'passive' && child(iq, 'active')) startDeliveries(session);
}

type IqHandler = (session: Session, iq: WireNode) => IqAnswer;

const EMPTY: IqHandler = () => [];
const NOT_FOUND = { error: 404, text: 'item-not-found' };

/** By namespace. */
const HANDLERS: Record<string, IqHandler> = {
  encrypt: answerEncrypt,
  usync: answerUsync,
  'w:sync:app:state': answerAppState,
  md: answerCompanion,
  abt: () => [element('props', { protocol: 1, hash: 'sandbox', ab_key: 'sandbox', refresh: 86_400 })],
  privacy: (_, iq) => (child(iq, 'tokens') ? [] : [privacySettings()]),
  blocklist: (_, { attrs }) => (attrs['type'] === 'get' ? [element('list', { dhash: 'sandbox' })] : []),
  'w:g2': (_, iq) => (child(iq, 'participating') ? [element('groups')] : NOT_FOUND),
  'w:profile:picture': () => NOT_FOUND,
  'w:mex': () => [element('result', {}, Buffer.from('{"data":{}}'))],
  'w:p': EMPTY,
  passive: EMPTY,
  status: EMPTY,
  disappearing_mode: EMPTY,
  'w:stats': EMPTY,
  'urn:xmpp:whatsapp:dirty': EMPTY,
};

function resultOf({ attrs: { id } }: WireNode, answer: Exclude<IqAnswer, 'silence'>): WireNode {
  if (answer && 'error' in answer) {
    const error = element('error', { code: answer.error, text: answer.text });
    return element('iq', { from: SERVER, type: 'error', id }, [error]);
  }
  const content = answer && answer.length > 0 ? answer : undefined;
  return element('iq', { from: SERVER, type: 'result', id }, content);
}

function privacySettings(): WireNode {
  const everyone = ['readreceipts', 'profile', 'status', 'last', 'groupadd', 'calladd', 'messages'];
  const categories = everyone.map((name) => element('category', { name, value: 'all' }));
  return element('privacy', {}, [...categories, element('category', { name: 'online', value: 'all' })]);
}
