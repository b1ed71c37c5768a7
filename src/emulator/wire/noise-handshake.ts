import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys/WAProto/index.js';
import { agree, type CurveKeyPair, generateKeyPair } from '../crypto/curve.ts';
import { INTRO } from './frames.ts';
import { NoiseTransport } from './noise-transport.ts';

/** Exactly as long as a SHA-256 digest, so it is used without hashing. */
const PROTOCOL = Buffer.from('Noise_XX_25519_AESGCM_SHA256\0\0\0\0');
const TAG_LENGTH = 16;

/** What the server shows to be trusted: its static key and the chain that certifies it. */
export interface ServerIdentity {
  keyPair: CurveKeyPair;
  /** Serialized `CertChain`. */
  certificates: Uint8Array;
}

/** Who connected, once the handshake is finished. */
export interface Handshaken {
  clientKey: Buffer;
  payload: proto.ClientPayload;
  transport: NoiseTransport;
}

/** The server's side of Noise XX (https://noiseprotocol.org/noise.html), with WhatsApp's messages around it. */
export class NoiseHandshake {
  readonly #identity: ServerIdentity;
  readonly #ephemeral = generateKeyPair();
  #hash: Buffer = PROTOCOL;
  #chainingKey: Buffer = PROTOCOL;
  #key: Buffer = PROTOCOL;
  #counter = 0;

  constructor(identity: ServerIdentity) {
    this.#identity = identity;
    this.#mixHash(INTRO);
  }

  /**
   * Reads the client's first message.
   * @returns the server's answer, to be sent as a frame.
   * @throws Error when it is not a client hello.
   */
  hello(message: Uint8Array): Uint8Array {
    const ephemeral = proto.HandshakeMessage.decode(message).clientHello?.ephemeral;
    if (ephemeral?.length !== 32) throw new Error('client hello without a key');
    this.#mixHash(ephemeral);
    this.#mixHash(this.#ephemeral.publicKey);
    this.#mixKey(agree(this.#ephemeral.privateKey, ephemeral));
    const encryptedStatic = this.#encrypt(this.#identity.keyPair.publicKey);
    this.#mixKey(agree(this.#identity.keyPair.privateKey, ephemeral));
    const payload = this.#encrypt(this.#identity.certificates);
    const serverHello = { ephemeral: this.#ephemeral.publicKey, static: encryptedStatic, payload };
    return proto.HandshakeMessage.encode({ serverHello }).finish();
  }

  /**
   * Reads the client's second message.
   * @throws Error when it was not made with the keys agreed on.
   */
  finish(message: Uint8Array): Handshaken {
    const { clientFinish } = proto.HandshakeMessage.decode(message);
    if (!clientFinish?.static || !clientFinish.payload) throw new Error('incomplete client finish');
    const clientKey = this.#decrypt(clientFinish.static);
    this.#mixKey(agree(this.#ephemeral.privateKey, clientKey));
    const payload = proto.ClientPayload.decode(this.#decrypt(clientFinish.payload));
    const [fromClient, toClient] = this.#derive(Buffer.alloc(0));
    return { clientKey, payload, transport: new NoiseTransport(toClient, fromClient) };
  }

  #mixHash(data: Uint8Array): void {
    this.#hash = createHash('sha256').update(this.#hash).update(data).digest();
  }

  #mixKey(input: Uint8Array): void {
    [this.#chainingKey, this.#key] = this.#derive(input);
    this.#counter = 0;
  }

  #derive(input: Uint8Array): [Buffer, Buffer] {
    const output = Buffer.from(hkdfSync('sha256', input, this.#chainingKey, '', 64));
    return [output.subarray(0, 32), output.subarray(32)];
  }

  #nonce(): Buffer {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(this.#counter++, 8);
    return nonce;
  }

  #encrypt(plaintext: Uint8Array): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#key, this.#nonce()).setAAD(this.#hash);
    const sealed = Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
    this.#mixHash(sealed);
    return sealed;
  }

  #decrypt(sealed: Uint8Array): Buffer {
    const end = sealed.length - TAG_LENGTH;
    const decipher = createDecipheriv('aes-256-gcm', this.#key, this.#nonce()).setAAD(this.#hash);
    decipher.setAuthTag(sealed.subarray(end));
    const plaintext = Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
    this.#mixHash(sealed);
    return plaintext;
  }
}
