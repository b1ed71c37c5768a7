import { randomBytes } from 'node:crypto';
import type { proto } from '@whiskeysockets/baileys/WAProto/index.js';
import type { DeviceRecord } from '../network/device.ts';
import { SERVER } from '../wire/jid.ts';
import { bytesOf, child, element, type WireNode } from '../wire/node.ts';
import type { Connection } from './connection.ts';
import { failure } from './session.ts';

/** QR codes a client can show one after the other before it gives up. */
const REFERENCES = 6;

/** What a client says of itself when it wants to become a companion. */
export type Candidate = Pick<DeviceRecord, 'noiseKey' | 'identity' | 'registrationId' | 'signedPreKey'>;

/** A client's wish to be linked by code instead of QR. */
export interface CodeRequest {
  number: string;
  wrappedEphemeral: Buffer;
  reference: Buffer;
}

/** A connection that waits for a phone to link it. It belongs to no realm yet. */
export class Registration {
  readonly candidate: Candidate;
  readonly connection: Connection;
  /** What the QR codes show, each for a while. */
  readonly references = new Set(Array.from({ length: REFERENCES }, newReference));
  codeRequest: CodeRequest | undefined;
  /** A phone is at it. */
  isTaken = false;
  /** Answers of the client that somebody waits for. */
  readonly #awaited = new Map<string, (stanza: WireNode | undefined) => void>();

  constructor(connection: Connection, candidate: Candidate) {
    this.connection = connection;
    this.candidate = candidate;
    connection.onNode = (node) => this.#receive(node);
  }

  /** Offers the references that the client makes its QR codes of. */
  offer(): void {
    const refs = [...this.references].map((reference) => element('ref', {}, Buffer.from(reference)));
    const attributes = { from: SERVER, type: 'set', id: 'pair-device', xmlns: 'md' };
    this.connection.send(element('iq', attributes, [element('pair-device', {}, refs)]));
  }

  /**
   * Waits for a stanza of the client.
   * @param key `id:…` for a result, `stage:…` for a step of pairing by code.
   * @returns `undefined` when the client leaves or takes too long.
   */
  wait(key: string, timeoutMs: number): Promise<WireNode | undefined> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(key, undefined), timeoutMs);
      this.#awaited.set(key, (stanza) => {
        clearTimeout(timer);
        resolve(stanza);
      });
    });
  }

  /** Lets go of everybody who waits for the client. */
  abandon(): void {
    for (const key of this.#awaited.keys()) this.#settle(key, undefined);
  }

  #receive(stanza: WireNode): void {
    if (stanza.tag !== 'iq') return;
    const step = child(stanza, 'link_code_companion_reg');
    const stage = step?.attrs['stage'];
    if (step && stage === 'companion_hello') this.#requestCode(stanza, step);
    else if (stage !== undefined) this.#settle(`stage:${stage}`, stanza);
    else if (stanza.attrs['type'] === 'result') this.#settle(`id:${stanza.attrs['id']}`, stanza);
    else this.connection.send(element('iq', { from: SERVER, type: 'result', id: stanza.attrs['id'] }));
  }

  #requestCode(stanza: WireNode, step: WireNode): void {
    const number = step.attrs['jid']?.split('@')[0] ?? '';
    const wrappedEphemeral = bytesOf(child(step, 'link_code_pairing_wrapped_companion_ephemeral_pub'));
    if (!wrappedEphemeral) return this.connection.end(failure(400));
    const reference = Buffer.from(newReference());
    this.codeRequest = { number, wrappedEphemeral, reference };
    const answer = element('link_code_companion_reg', { stage: 'companion_hello' }, [
      element('link_code_pairing_ref', {}, reference),
    ]);
    this.connection.send(element('iq', { from: SERVER, type: 'result', id: stanza.attrs['id'] }, [answer]));
  }

  #settle(key: string, stanza: WireNode | undefined): void {
    const settle = this.#awaited.get(key);
    this.#awaited.delete(key);
    settle?.(stanza);
  }
}

/** Reads what a client that wants to register says of itself; `undefined` when something is missing. */
export function candidateOf(noiseKey: Uint8Array, payload: proto.ClientPayload): Candidate | undefined {
  const { eIdent, eRegid, eSkeyId, eSkeySig, eSkeyVal } = payload.devicePairingData ?? {};
  if (!eIdent || !eRegid || !eSkeyId || !eSkeySig || !eSkeyVal) return undefined;
  return {
    noiseKey,
    identity: eIdent,
    registrationId: Buffer.from(eRegid).readUIntBE(0, eRegid.length),
    signedPreKey: {
      id: Buffer.from(eSkeyId).readUIntBE(0, eSkeyId.length),
      publicKey: eSkeyVal,
      signature: eSkeySig,
    },
  };
}

/** As WhatsApp writes them; they hold no comma, which separates the parts of a QR code. */
function newReference(): string {
  return `2@${randomBytes(48).toString('base64')}`;
}
