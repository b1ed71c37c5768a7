import { createCipheriv, createDecipheriv } from 'node:crypto';

const TAG_LENGTH = 16;

/** Seals and opens frames after the handshake: AES-256-GCM, one key and one counter a direction, no associated data. */
export class NoiseTransport {
  readonly #sendKey: Buffer;
  readonly #receiveKey: Buffer;
  #sent = 0;
  #received = 0;

  constructor(sendKey: Buffer, receiveKey: Buffer) {
    this.#sendKey = sendKey;
    this.#receiveKey = receiveKey;
  }

  /** Seals the next frame; frames must leave in the order sealed. */
  seal(plaintext: Uint8Array): Buffer {
    const cipher = createCipheriv('aes-256-gcm', this.#sendKey, nonce(this.#sent++));
    return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  /**
   * Opens the next frame.
   * @throws Error when it was not sealed by the peer, or not in this order.
   */
  open(sealed: Buffer): Buffer {
    const end = sealed.length - TAG_LENGTH;
    if (end < 0) throw new Error('frame shorter than its tag');
    const decipher = createDecipheriv('aes-256-gcm', this.#receiveKey, nonce(this.#received++));
    decipher.setAuthTag(sealed.subarray(end));
    return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()]);
  }
}

function nonce(counter: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(counter, 8);
  return bytes;
}
