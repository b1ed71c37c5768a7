/** `"WA"`, protocol 6, dictionary version 3: opens the client's stream and is the handshake's prologue. */
export const INTRO = Buffer.from([0x57, 0x41, 0x06, 0x03]);

const ROUTING_MAGIC = 'ED';
const ROUTING_HEADER = 7;
/** Longest frame a 3-byte length can announce. */
const MAX_FRAME = 0xff_ff_ff;

/** Cuts a client's byte stream into frames, whatever the WebSocket message boundaries. */
export class FrameReader {
  #buffered: Buffer = Buffer.alloc(0);
  #introduced = false;

  /**
   * Adds bytes and returns the frames that are complete now.
   * @throws Error when the stream does not open with an intro.
   */
  read(bytes: Buffer): Buffer[] {
    this.#buffered = this.#buffered.length === 0 ? bytes : Buffer.concat([this.#buffered, bytes]);
    if (!this.#introduced && !this.#readIntro()) return [];
    const frames: Buffer[] = [];
    while (this.#buffered.length >= 3) {
      const end = 3 + this.#buffered.readUIntBE(0, 3);
      if (this.#buffered.length < end) break;
      frames.push(this.#buffered.subarray(3, end));
      this.#buffered = this.#buffered.subarray(end);
    }
    return frames;
  }

  #readIntro(): boolean {
    const start = this.#routingLength();
    if (start === undefined || this.#buffered.length < start + INTRO.length) return false;
    if (!this.#buffered.subarray(start, start + INTRO.length).equals(INTRO)) {
      throw new Error('stream does not open with a WhatsApp intro');
    }
    this.#buffered = this.#buffered.subarray(start + INTRO.length);
    this.#introduced = true;
    return true;
  }

  /** Bytes taken by the optional edge-routing header; `undefined` while it is incomplete. */
  #routingLength(): number | undefined {
    if (this.#buffered.length < INTRO.length) return undefined;
    if (this.#buffered.toString('latin1', 0, 2) !== ROUTING_MAGIC) return 0;
    if (this.#buffered.length < ROUTING_HEADER) return undefined;
    return ROUTING_HEADER + this.#buffered.readUIntBE(4, 3);
  }
}

/**
 * Prefixes a payload with its length.
 * @throws RangeError when it does not fit in a frame.
 */
export function frame(payload: Uint8Array): Buffer {
  if (payload.length > MAX_FRAME) throw new RangeError(`a frame cannot hold ${payload.length} bytes`);
  const framed = Buffer.allocUnsafe(3 + payload.length);
  framed.writeUIntBE(payload.length, 0, 3);
  framed.set(payload, 3);
  return framed;
}
