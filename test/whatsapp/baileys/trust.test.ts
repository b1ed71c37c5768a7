import { Curve, proto, WA_CERT_DETAILS } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { assertForgeriesFail, installTrust } from '../../../src/whatsapp/baileys/trust.ts';
import { until } from '../../emulator/support/until.ts';
import { emulated, freshNumber } from '../support/emulated.ts';
import { text } from '../support/linked-session.ts';

const world = emulated();

test.each(['root', 'intermediate', 'leaf'])(
  'a server with a forged %s certificate is refused before anything is sent',
  async (link) => {
    const session = world.session();
    await world.control.fault({ kind: 'forged_certificate', link, times: 1 });
    await session.start();
    expect((await session.untilClosed()).code).toBe('untrusted_server');
    expect(session.events).toEqual(['closed']);
    expect(session.store.credentialWrites).toBe(1);
  },
);

test('a forged account signature is refused, and the pairing not confirmed', async () => {
  const session = world.session();
  const phone = freshNumber();
  await world.control.fault({ kind: 'forged_account_signature', times: 1 });
  await session.start();
  const qr = await until(() => session.qrs[0], 'a QR code');
  await world.control.scan(phone, qr.text).catch(() => undefined);
  expect((await session.untilClosed()).code).toBe('untrusted_server');
  expect(session.linked).toBeUndefined();
});

test('a forged prekey gets no message', async () => {
  const { socket } = await world.linked();
  const to = freshNumber();
  await world.control.fault({ kind: 'forged_prekey_signature', phone: to });
  await expect(socket.send(text(to, 'secret'))).rejects.toMatchObject({ failure: 'not_sent' });
  expect(await world.control.messages(to)).toEqual([]);
  await world.control.clearFaults();
  await socket.send(text(to, 'now it may'));
  await world.arrived(to, 1);
});

test('a process trusts one root key', async () => {
  await world.linked();
  expect(() => installTrust(Buffer.alloc(32, 1).toString('hex'))).toThrow('trusts another root key');
  expect(() => installTrust('not hex')).toThrow('32 bytes');
  expect(() => installTrust(Buffer.from(world.emulator.rootPublicKey).toString('hex'))).not.toThrow();
});

test('a check that accepts everything, or nothing, does not pass the self-test', async () => {
  await world.linked();
  expect(() => assertForgeriesFail({ ...Curve, verify: () => true })).toThrow('refusing to connect');
  expect(() => assertForgeriesFail({ ...Curve, verify: () => false })).toThrow('refusing to connect');
  expect(() => assertForgeriesFail(Curve)).not.toThrow();
});

test('WhatsApp’s own chain with another server’s key is refused, and so is one out of date', async () => {
  await world.linked();
  const root = Curve.generateKeyPair();
  const intermediate = Curve.generateKeyPair();
  const server = Curve.generateKeyPair();
  const thief = Curve.generateKeyPair();
  const trustedRoot = WA_CERT_DETAILS.PUBLIC_KEY;
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(root.public);
  try {
    const accepts = (serverKey: Uint8Array, leaf: object = {}, middle: object = {}) => {
      const { Details } = proto.CertChain.NoiseCertificate;
      const leafBytes = Details.encode({ serial: 2, issuerSerial: 1, key: server.public, ...leaf }).finish();
      const middleBytes = Details.encode({
        serial: 1,
        issuerSerial: 0,
        key: intermediate.public,
        ...middle,
      }).finish();
      // In Baileys' order: agreement with the server's key, leaf, intermediate.
      Curve.sharedKey(thief.private, serverKey);
      return (
        Curve.verify(intermediate.public, leafBytes, Curve.sign(intermediate.private, leafBytes)) &&
        Curve.verify(Buffer.from(root.public), middleBytes, Curve.sign(root.private, middleBytes))
      );
    };
    expect(accepts(server.public)).toBe(true);
    expect(accepts(thief.public)).toBe(false);
    expect(accepts(server.public, { issuerSerial: 7 })).toBe(false);
    expect(accepts(server.public, {}, { issuerSerial: 7 })).toBe(false);
    expect(accepts(server.public, { notAfter: 1_000 })).toBe(false);
    expect(accepts(server.public, {}, { notBefore: 9_999_999_999 })).toBe(false);
  } finally {
    WA_CERT_DETAILS.PUBLIC_KEY = trustedRoot;
  }
});
