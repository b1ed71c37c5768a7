import type { proto } from '@whiskeysockets/baileys/WAProto/index.js';
import { generateKeyPair } from '../crypto/curve.ts';
import { openKeyBundle, unwrapWithCode, wrapWithCode } from '../crypto/pairing-code.ts';
import { serverSeconds } from '../network/emulation.ts';
import type { Phone } from '../network/phone.ts';
import type { Realm } from '../network/realm.ts';
import type { LinkedDevice } from '../network/realms.ts';
import { SERVER } from '../wire/jid.ts';
import { bytesOf, child, element } from '../wire/node.ts';
import type { Connection } from './connection.ts';
import { emulatorErrors } from './emulator.errors.ts';
import { link } from './link.ts';
import { type CodeRequest, candidateOf, Registration } from './registration.ts';
import { failure, type ServerContext } from './session.ts';

/** Longest wait for the client to answer a code typed on the phone. */
const CODE_ANSWER_MS = 10_000;
/** Before the code, nothing of a reference and three keys in a QR code holds a comma. */
const QR_PARTS = 4;

/** The clients that wait to be linked, and the two ways a phone does it. */
export class Pairing {
  readonly #context: ServerContext;
  readonly #waiting = new Set<Registration>();

  constructor(context: ServerContext) {
    this.#context = context;
  }

  /** Takes a client in that is no companion yet. */
  register(connection: Connection, noiseKey: Uint8Array, payload: proto.ClientPayload): void {
    const candidate = candidateOf(noiseKey, payload);
    if (!candidate) return connection.end(failure(400));
    const registration = new Registration(connection, candidate);
    this.#waiting.add(registration);
    connection.onClosed = () => {
      this.#waiting.delete(registration);
      registration.abandon();
    };
    registration.offer();
  }

  /**
   * The phone scans a QR code.
   * @param qr the text of the code: the address with its fragment, or the fragment alone.
   * @throws `emulator.qr_unusable`, `emulator.qr_forged`, `emulator.pairing_refused`.
   */
  async scan(realm: Realm, phone: Phone, qr: string): Promise<LinkedDevice> {
    const parts = qr.slice(qr.indexOf('#') + 1).split(',');
    const [reference, noiseKey, identity, advSecret] = parts;
    if (parts.length < QR_PARTS || !reference || !noiseKey || !identity || !advSecret) {
      throw emulatorErrors.qrForged({ detail: 'not a WhatsApp QR code' });
    }
    const registration = [...this.#waiting].find(({ references }) => references.has(reference));
    if (!registration || registration.isTaken) throw emulatorErrors.qrUnusable();
    const { candidate } = registration;
    if (!isKey(noiseKey, candidate.noiseKey) || !isKey(identity, candidate.identity)) {
      throw emulatorErrors.qrForged();
    }
    const secret = Buffer.from(advSecret, 'base64');
    const pair = () => link(this.#context, { realm, phone, registration, advSecret: secret });
    const linked = await this.#take(registration, pair);
    if (!linked) throw emulatorErrors.pairingRefused();
    return linked;
  }

  /**
   * The phone's user types a pairing code.
   * @throws `emulator.no_pairing_code_asked`, `emulator.wrong_pairing_code`, `emulator.pairing_refused`.
   */
  async enterCode(realm: Realm, phone: Phone, code: string): Promise<LinkedDevice> {
    const asking = [...this.#waiting].filter(
      ({ codeRequest, isTaken }) => codeRequest?.number === phone.number && !isTaken,
    );
    if (asking.length === 0) {
      throw emulatorErrors.nobodyAsked({
        fields: [{ pointer: '/code', detail: 'was asked for by no session for this number' }],
      });
    }
    // Two realms may have the same number; only the client that showed the code can answer it.
    for (const registration of asking.toReversed()) {
      const linked = await this.#take(registration, () => this.#tryCode(realm, phone, registration, code));
      if (linked) return linked;
    }
    throw emulatorErrors.wrongCode({
      fields: [{ pointer: '/code', detail: 'is not the code that the session shows' }],
    });
  }

  async #tryCode(
    realm: Realm,
    phone: Phone,
    registration: Registration,
    code: string,
  ): Promise<LinkedDevice | undefined> {
    const { connection, codeRequest, candidate } = registration;
    if (!codeRequest) return undefined;
    const phoneEphemeral = generateKeyPair();
    const companionEphemeral = await unwrapWithCode(code, codeRequest.wrappedEphemeral);
    const answer = registration.wait('stage:companion_finish', CODE_ANSWER_MS);
    const wrapped = await wrapWithCode(code, phoneEphemeral.publicKey);
    connection.send(this.#primaryHello(phone, codeRequest, wrapped));
    const finish = await answer;
    const bundle = bytesOf(
      child(child(finish, 'link_code_companion_reg'), 'link_code_pairing_wrapped_key_bundle'),
    );
    if (!finish || !bundle) throw emulatorErrors.pairingRefused();
    const keys = { phoneIdentity: phone.keys.identity, phoneEphemeral, companionEphemeral };
    const secret = openKeyBundle(bundle, { ...keys, companionIdentity: candidate.identity });
    const result = { from: SERVER, type: secret ? 'result' : 'error', id: finish.attrs['id'] };
    const wrong = [element('error', { code: 400, text: 'bad-request' })];
    connection.send(element('iq', result, secret ? undefined : wrong));
    return secret && link(this.#context, { realm, phone, registration, advSecret: secret });
  }

  #primaryHello(phone: Phone, { reference }: CodeRequest, wrapped: Uint8Array) {
    const { emulation } = this.#context;
    const attributes = {
      from: SERVER,
      type: 'link_code_companion_reg',
      id: `link-code-${emulation.nextSequence()}`,
      t: serverSeconds(emulation),
    };
    const hello = element('link_code_companion_reg', { stage: 'primary_hello' }, [
      element('link_code_pairing_wrapped_primary_ephemeral_pub', {}, wrapped),
      element('primary_identity_pub', {}, phone.keys.identity.publicKey),
      element('link_code_pairing_ref', {}, reference),
    ]);
    return element('notification', attributes, [hello]);
  }

  /** Keeps other phones away meanwhile, and for good once the client is linked. */
  async #take(
    registration: Registration,
    pair: () => Promise<LinkedDevice | undefined>,
  ): Promise<LinkedDevice | undefined> {
    registration.isTaken = true;
    let linked: LinkedDevice | undefined;
    try {
      linked = await pair();
    } finally {
      registration.isTaken = linked !== undefined;
    }
    return linked;
  }
}

function isKey(text: string, key: Uint8Array): boolean {
  return Buffer.from(text, 'base64').equals(key);
}
