import type { Clock } from '../../lib/clock.ts';
import { type OutgoingMessage, SendError } from '../socket.ts';
import type { DeviceDirectory } from './devices.ts';
import { statusOf } from './log-adapter.ts';
import { toProto } from './message-content.ts';
import type { PendingAcks } from './pending-acks.ts';
import type { DueToken, PrivacyTokens } from './privacy-tokens.ts';
import { recipientJid } from './recipients.ts';
import type { Serial } from './serial.ts';
import type { CachedDevice } from './usync.ts';
import type { Wire } from './wire.ts';

const TIMED_OUT = 408;
const CONNECTION_CLOSED = 428;

export interface SenderParts {
  wire: Pick<Wire, 'issuePrivacyTokens' | 'relayMessage' | 'serverProps'>;
  /** Sends and resends of the session, one after the other. */
  serial: Serial;
  acks: PendingAcks;
  directory: DeviceDirectory;
  tokens: PrivacyTokens;
  clock: Clock;
  prepare: (jid: string) => Promise<Map<string, CachedDevice[]>>;
  selfJid: () => string;
  /** Aborted when the connection is over. */
  over: AbortSignal;
}

/** Puts messages on the wire in call order; what counts as sent is the server's ack. */
export class Sender {
  readonly #parts: SenderParts;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** @throws SendError */
  async send(message: OutgoingMessage): Promise<{ sentAt: Date }> {
    const progress = { leaving: false };
    const { serial, tokens, wire } = this.#parts;
    const { ack, due } = await this.#unlessOver(
      serial.run(() => this.#put(message, progress)),
      // What was on its way when the connection ended may have arrived.
      () => new SendError(progress.leaving ? 'unacknowledged' : 'closed'),
    );
    const sentAt = await ack;
    if (due !== undefined) void tokens.give(wire, due);
    return { sentAt };
  }

  async #put(
    message: OutgoingMessage,
    progress: { leaving: boolean },
  ): Promise<{ ack: Promise<Date>; due: DueToken | undefined }> {
    const { wire, acks, directory, tokens, clock, prepare, selfJid, over } = this.#parts;
    if (over.aborted) throw new SendError('closed');
    const jid = recipientJid(message.to);
    if (jid === undefined)
      throw new SendError('not_sent', { cause: new Error('the recipient has neither number nor LID') });
    try {
      const devices = await prepare(jid);
      const due = await tokens.claim(jid, wire.serverProps.lidTrustedTokenIssueToLid);
      if (over.aborted) throw new SendError('closed');
      directory.pin(devices);
      progress.leaving = true;
      const ack = acks.expect(message.wireId);
      await wire.relayMessage(jid, toProto(message, selfJid()), { messageId: message.wireId });
      acks.wrote(message.wireId, clock.now().getTime());
      return { ack, due };
    } catch (error) {
      const failure = this.#failureOf(error);
      acks.forget(message.wireId, failure);
      throw failure;
    } finally {
      directory.release();
    }
  }

  #failureOf(error: unknown): SendError {
    if (error instanceof SendError) return error;
    const status = statusOf(error);
    if (status === CONNECTION_CLOSED) return new SendError('closed', { cause: error });
    // Baileys gave up waiting for the operating system to take the bytes: it may take them yet.
    if (status === TIMED_OUT) return new SendError('unacknowledged', { cause: error });
    return new SendError('not_sent', { cause: error });
  }

  async #unlessOver<T>(work: Promise<T>, onOver: () => SendError): Promise<T> {
    const { over } = this.#parts;
    let end = () => {};
    const ended = new Promise<never>((_, reject) => {
      end = () => reject(onOver());
      over.addEventListener('abort', end, { once: true });
    });
    try {
      return await Promise.race([work, ended]);
    } finally {
      over.removeEventListener('abort', end);
      // Nobody looks at whichever comes later.
      work.catch(() => undefined);
    }
  }
}
