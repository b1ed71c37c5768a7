import type { BinaryNode } from '@whiskeysockets/baileys';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../platform/log/log.ts';
import type { SocketOptions } from '../socket.ts';
import type { Self } from './connection.ts';
import { Inbound } from './inbound.ts';
import { userJid } from './jid.ts';
import { PendingAcks } from './pending-acks.ts';
import { PrivacyTokens } from './privacy-tokens.ts';
import { Receipts } from './receipts.ts';
import { prepareRecipient } from './recipients.ts';
import { Sender } from './sender.ts';
import { Serial } from './serial.ts';
import { skipAppState } from './skip-app-state.ts';
import { takeListeners } from './take-listeners.ts';
import type { Committed } from './until-committed.ts';
import type { OpenWire, SessionState } from './wire.ts';

interface TrafficParts extends OpenWire {
  options: SocketOptions;
  state: SessionState;
  clock: Clock;
  log: Log;
  random: () => number;
  over: AbortSignal;
  self: () => Self;
  onSilence: (wroteAt: number) => void;
  onGaveUp: (why: Exclude<Committed, 'committed'>) => void;
}

/** Messages, receipts and acks of one connection, in both directions. */
export interface Traffic {
  sender: Sender;
  /** Ends it all; handlers under way get so many milliseconds. */
  close(graceMs: number): Promise<void>;
}

/** Puts itself between Baileys and the handlers: see {@link Inbound}, {@link Receipts} and {@link Sender}. */
export function startTraffic(parts: TrafficParts): Traffic {
  const { wire, mapping, state } = parts;
  const serial = new Serial();
  const me = () => ({ id: state.credentials.value.me?.id ?? '', lid: state.credentials.value.me?.lid ?? '' });
  const prepare = (jid: string) => prepareRecipient({ ...state, wire, mapping, self: me }, jid);
  const acks = takeAcks(parts);
  const tokens = new PrivacyTokens(state.cache, mapping, parts.clock);
  const selfJid = () => userJid(me().id);
  const sender = new Sender({ ...parts, ...state, serial, acks, tokens, prepare, selfJid });
  const inbound = takeMessages(parts);
  const receipts = takeReceipts(parts, serial, prepare);
  skipAppState(wire.ws, (node) => wire.sendMessageAck(node));
  return {
    sender,
    async close(graceMs) {
      acks.close();
      const finished = Promise.all([inbound.close(), receipts.close()]);
      const late = new AbortController();
      await Promise.race([finished, parts.clock.sleep(graceMs, late.signal).catch(() => undefined)]);
      late.abort();
      parts.unconfirmed.close();
    },
  };
}

function takeAcks({ wire, options, log, onSilence }: TrafficParts): PendingAcks {
  const acks = new PendingAcks(options.ackTimeoutMs, onSilence);
  wire.ws.on('CB:ack,class:message', (node: BinaryNode) => {
    const refused = acks.settle(node);
    if (refused === undefined) return;
    options.handlers
      .onRefused(refused)
      .catch((error: unknown) => log.warn({ err: error }, 'a refusal was not stored'));
  });
  return acks;
}

function takeMessages(parts: TrafficParts): Inbound {
  const { wire, options } = parts;
  const baileys = takeListeners(wire.ws, 'CB:message');
  const inbound = new Inbound({
    ...parts,
    handlers: options.handlers,
    repository: wire.signalRepository,
    baileys,
  });
  wire.ws.on('CB:message', (node: BinaryNode) => inbound.add(node));
  return inbound;
}

type Prepare = (jid: string) => ReturnType<typeof prepareRecipient>;

function takeReceipts(parts: TrafficParts, serial: Serial, prepare: Prepare): Receipts {
  const { wire, options } = parts;
  const baileys = takeListeners(wire.ws, 'CB:receipt');
  const resend = (node: BinaryNode) => serial.run(() => resendPrepared(parts, prepare, baileys, node));
  const receipts = new Receipts({ ...parts, handlers: options.handlers, resend });
  wire.ws.on('CB:receipt', (node: BinaryNode) => receipts.add(node));
  return receipts;
}

/** Baileys sends again to the devices it can see; without an answer to that question it would send to none. */
async function resendPrepared(
  { state }: TrafficParts,
  prepare: Prepare,
  baileys: (node: BinaryNode) => Promise<void>,
  node: BinaryNode,
): Promise<void> {
  const from = node.attrs['from'] ?? '';
  state.directory.pin(await prepare(userJid(node.attrs['recipient'] ?? from)));
  try {
    await baileys(node);
  } finally {
    state.directory.release();
  }
}
