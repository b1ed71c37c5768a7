import type { WebSocket } from 'ws';
import type { FaultTarget } from '../faults/faults.ts';
import type { DeviceLink } from '../network/device.ts';
import type { Emulation } from '../network/emulation.ts';
import { FrameReader, frame } from '../wire/frames.ts';
import { decodeNode, encodeNode, type WireNode } from '../wire/node.ts';
import { type Handshaken, NoiseHandshake, type ServerIdentity } from '../wire/noise-handshake.ts';
import type { NoiseTransport } from '../wire/noise-transport.ts';

const NORMAL_CLOSURE = 1000;
const PROTOCOL_ERROR = 1002;

/** What happens on a connection, in the order it happens. */
export interface ConnectionEvents {
  onHandshaken(connection: Connection, client: Omit<Handshaken, 'transport'>): void;
}

/** One client's connection: WebSocket, handshake, then stanzas both ways. */
export class Connection implements DeviceLink {
  /** Whose connection it is, for faults; empty before login. */
  target: FaultTarget = {};
  onNode: (node: WireNode) => void = () => {};
  onClosed: () => void = () => {};
  /** Milliseconds since the epoch. */
  lastHeardAt: number;
  readonly #socket: WebSocket;
  readonly #events: ConnectionEvents;
  readonly #emulation: Emulation;
  readonly #reader = new FrameReader();
  #handshake: { noise: NoiseHandshake; isGreeted: boolean } | undefined;
  #transport: NoiseTransport | undefined;
  #outgoing: Buffer[] = [];
  #silent = false;
  #ended = false;

  constructor(socket: WebSocket, identity: ServerIdentity, events: ConnectionEvents, emulation: Emulation) {
    this.#socket = socket;
    this.#events = events;
    this.#emulation = emulation;
    this.lastHeardAt = emulation.now().getTime();
    this.#handshake = { noise: new NoiseHandshake(identity), isGreeted: false };
    socket.on('message', (data: Buffer) => this.#receive(data));
    socket.on('ping', (data) => this.#silent || socket.pong(data));
    socket.on('error', (err) => emulation.log.debug({ err }, 'connection failed'));
    socket.on('close', () => {
      this.#ended = true;
      this.onClosed();
    });
  }

  /** Sends a stanza; what is sent in one turn of the event loop leaves together. */
  send(node: WireNode): void {
    if (this.#ended || this.#silent || !this.#transport) return;
    if (this.#outgoing.length === 0) setImmediate(() => this.#flush());
    this.#outgoing.push(frame(this.#transport.seal(encodeNode(node))));
  }

  end(node?: WireNode): void {
    if (this.#ended || this.#silent) return;
    if (node) this.send(node);
    this.#flush();
    this.#ended = true;
    this.#socket.close(NORMAL_CLOSURE);
  }

  cut(): void {
    this.#ended = true;
    this.#socket.terminate();
  }

  /** From now on nothing passes in either direction, though the connection stays up. It does not recover. */
  silence(): void {
    this.#silent = true;
    this.#outgoing = [];
  }

  #flush(): void {
    if (this.#outgoing.length === 0 || this.#ended) return;
    const [only] = this.#outgoing;
    this.#socket.send(this.#outgoing.length === 1 && only ? only : Buffer.concat(this.#outgoing));
    this.#outgoing = [];
  }

  #receive(data: Buffer): void {
    if (this.#silent || this.#ended) return;
    this.lastHeardAt = this.#emulation.now().getTime();
    try {
      for (const payload of this.#reader.read(data)) this.#read(payload);
    } catch (err) {
      this.#emulation.log.warn({ err }, 'client broke the protocol');
      this.#socket.close(PROTOCOL_ERROR);
    }
  }

  #read(payload: Buffer): void {
    if (this.#silent || this.#ended) return;
    if (this.#transport) this.onNode(decodeNode(this.#transport.open(payload)));
    else this.#shake(payload);
  }

  #shake(payload: Buffer): void {
    const handshake = this.#handshake;
    if (!handshake) return;
    if (!handshake.isGreeted) {
      this.#socket.send(frame(handshake.noise.hello(payload)));
      handshake.isGreeted = true;
      return;
    }
    const { transport, ...client } = handshake.noise.finish(payload);
    this.#handshake = undefined;
    this.#transport = transport;
    this.#events.onHandshaken(this, client);
  }
}
