import { once } from 'node:events';
import { type BinaryNode, getBinaryNodeChild, proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { generateKeyPair, getWAConnHeader, NoiseSession, verifySignature } from 'whatsapp-rust-bridge';
import WebSocket from 'ws';
import { EmulatorFixture, jidOf } from './support/fixture.ts';
import { until } from './support/until.ts';

const fixture = new EmulatorFixture();
const { Details } = proto.CertChain.NoiseCertificate;

/** Shakes hands with another implementation of Noise and judges the chain that the server shows. */
async function judgeChain() {
  const keys = generateKeyPair();
  const publicKey = keys.pubKey.subarray(1);
  const noise = new NoiseSession(publicKey, getWAConnHeader());
  const socket = new WebSocket(fixture.emulator.wsUrl);
  await once(socket, 'open');
  const hello = proto.HandshakeMessage.encode({ clientHello: { ephemeral: publicKey } }).finish();
  socket.send(noise.encodeFrameRaw(hello));
  const [answer]: Buffer[] = await once(socket, 'message');
  const { serverHello } = proto.HandshakeMessage.decode(answer?.subarray(3) ?? new Uint8Array());
  if (!serverHello?.ephemeral || !serverHello.static || !serverHello.payload)
    throw new Error('no server hello');
  const chain = noise.processHandshakeInit(
    serverHello.ephemeral,
    serverHello.static,
    serverHello.payload,
    keys.privKey,
  );
  socket.terminate();
  const { leaf, intermediate } = proto.CertChain.decode(chain);
  const link = (cert: typeof leaf) => ({
    details: cert?.details ?? new Uint8Array(),
    signature: cert?.signature ?? new Uint8Array(),
  });
  const [low, high] = [link(leaf), link(intermediate)];
  const issuer = Details.decode(high.details);
  return {
    rootVouches: verifySignature(fixture.emulator.rootPublicKey, high.details, high.signature),
    intermediateVouches: verifySignature(issuer.key ?? new Uint8Array(), low.details, low.signature),
    serials: [issuer.issuerSerial, Details.decode(low.details).issuerSerial === issuer.serial],
  };
}

describe('the server’s certificates', () => {
  it('hang from the root', async () => {
    expect(await judgeChain()).toEqual({ rootVouches: true, intermediateVouches: true, serials: [0, true] });
  });

  it.each([
    { link: 'root', rootVouches: false, intermediateVouches: true },
    { link: 'intermediate', rootVouches: false, intermediateVouches: true },
    { link: 'leaf', rootVouches: true, intermediateVouches: false },
  ])('can be forged at the $link', async ({ link, ...expected }) => {
    await fixture.control().fault({ kind: 'forged_certificate', link, times: 1 });
    expect(await judgeChain()).toMatchObject(expected);
    expect(await judgeChain()).toMatchObject({ rootVouches: true, intermediateVouches: true });
  });
});

describe('the account’s signature over a companion', () => {
  async function isVouchedFor(fault: boolean): Promise<boolean> {
    const control = fixture.control();
    const { phone } = await control.createPhone();
    const client = fixture.client().connect();
    let blob: Uint8Array | undefined;
    client.socket.ws.on('CB:iq,,pair-success', (node: BinaryNode) => {
      const content = getBinaryNodeChild(
        getBinaryNodeChild(node, 'pair-success'),
        'device-identity',
      )?.content;
      if (content instanceof Uint8Array) blob = content;
    });
    const qr = await until(() => client.qr, 'a QR code');
    if (fault) await control.fault({ kind: 'forged_account_signature', times: 1, realm: 'acc_test', phone });
    await control.scan(phone, qr);
    const { details } = proto.ADVSignedDeviceIdentityHMAC.decode(blob ?? new Uint8Array());
    const signed = proto.ADVSignedDeviceIdentity.decode(details ?? new Uint8Array());
    const identity = client.auth.creds.signedIdentityKey.public;
    const message = Buffer.concat([Buffer.from([6, 0]), signed.details ?? new Uint8Array(), identity]);
    return verifySignature(
      signed.accountSignatureKey ?? new Uint8Array(),
      message,
      signed.accountSignature ?? new Uint8Array(),
    );
  }

  it('is the phone’s, unless it is to be forged', async () => {
    expect(await isVouchedFor(false)).toBe(true);
    expect(await isVouchedFor(true)).toBe(false);
  });
});

describe('the signed prekey of a number', () => {
  it('is signed by its identity, unless it is to be forged', async () => {
    const control = fixture.control();
    const { client } = await fixture.linked();
    const { phone, lid } = await control.createPhone();
    const isSound = async () => {
      const answer: BinaryNode = await client.socket.query({
        tag: 'iq',
        attrs: { xmlns: 'encrypt', type: 'get', to: '@s.whatsapp.net' },
        content: [{ tag: 'key', attrs: {}, content: [{ tag: 'user', attrs: { jid: `${lid}@lid` } }] }],
      });
      const user = getBinaryNodeChild(getBinaryNodeChild(answer, 'list'), 'user');
      const bytes = (node: BinaryNode | undefined) =>
        node?.content instanceof Uint8Array ? node.content : Buffer.of();
      const skey = getBinaryNodeChild(user, 'skey');
      const key = Buffer.concat([Buffer.from([5]), bytes(getBinaryNodeChild(skey, 'value'))]);
      const identity = bytes(getBinaryNodeChild(user, 'identity'));
      return verifySignature(identity, key, bytes(getBinaryNodeChild(skey, 'signature')));
    };
    expect(await isSound()).toBe(true);
    await control.fault({ kind: 'forged_prekey_signature', realm: 'acc_test', phone });
    expect(await isSound()).toBe(false);
    await control.clearFaults();
    expect(await isSound()).toBe(true);
    expect(jidOf(phone)).toContain('@s.whatsapp.net');
  });
});
