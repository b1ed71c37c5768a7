import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { installTrust } from '../../../src/whatsapp/baileys/trust.ts';
import { type SignalParty, signalParty } from '../support/signal-party.ts';

beforeAll(() => installTrust());

const ALICE = '491700000001@s.whatsapp.net';
const BOB = '491700000002:3@s.whatsapp.net';
const seal = (party: SignalParty, to: string, words: string) =>
  party.repository.encryptMessage({ jid: to, data: Buffer.from(words) });
const open = async (
  party: SignalParty,
  from: string,
  sealed: { type: 'pkmsg' | 'msg'; ciphertext: Uint8Array },
) => Buffer.from(await party.repository.decryptMessage({ jid: from, ...sealed })).toString();

async function acquainted() {
  const alice = signalParty();
  const bob = signalParty();
  await alice.repository.injectE2ESession({ jid: BOB, session: bob.bundle() });
  return { alice, bob };
}

test('two devices talk, and the first message uses up the one-time key', async () => {
  const { alice, bob } = await acquainted();
  const first = await seal(alice, BOB, 'hello');
  expect(first.type).toBe('pkmsg');
  expect(await open(bob, ALICE, first)).toBe('hello');
  const answer = await seal(bob, ALICE, 'hi');
  expect(answer.type).toBe('msg');
  expect(await open(alice, BOB, answer)).toBe('hi');
  expect(await bob.cache.get('pre-key', '1')).toBeUndefined();
});

test('a forged signed prekey makes no session', async () => {
  const alice = signalParty();
  const bundle = signalParty().bundle();
  const forged = { ...bundle, signedPreKey: { ...bundle.signedPreKey, signature: Buffer.alloc(64, 7) } };
  await expect(alice.repository.injectE2ESession({ jid: BOB, session: forged })).rejects.toThrow('invalid');
  expect(await alice.repository.validateSession(BOB)).toMatchObject({ exists: false });
});

test('the state behind a ciphertext is durable when the ciphertext is there', async () => {
  const { alice } = await acquainted();
  alice.store.failing = true;
  await expect(seal(alice, BOB, 'never')).rejects.toThrow('down');
  alice.store.failing = false;
  await seal(alice, BOB, 'now');
  expect(alice.store.count('session')).toBe(1);
});

test('the same bytes open once and give the same answer again; others of the same text do not', async () => {
  const { alice, bob } = await acquainted();
  const sealed = await seal(alice, BOB, 'hello');
  expect(await open(bob, ALICE, sealed)).toBe('hello');
  expect(await open(bob, ALICE, sealed)).toBe('hello');
  const copy = { ...sealed, ciphertext: Uint8Array.from(sealed.ciphertext) };
  await expect(open(bob, ALICE, copy)).rejects.toMatchObject({ failure: 'duplicate' });
});

test('what is opened in a batch stays undone until the batch is confirmed', async () => {
  const { alice, bob } = await acquainted();
  const sealed = await seal(alice, BOB, 'hello');
  bob.unconfirmed.beginBatch();
  await open(bob, ALICE, sealed);
  await bob.cache.persist();
  expect(bob.store.count('session')).toBe(0);
  expect(bob.store.count('pre-key')).toBe(1);
  let answered = false;
  const answer = seal(bob, ALICE, 'hi').then((result) => {
    answered = true;
    return result;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(answered).toBe(false);
  bob.unconfirmed.confirmBatch();
  expect(await open(alice, BOB, await answer)).toBe('hi');
});

test('a discarded batch opens again', async () => {
  const { alice, bob } = await acquainted();
  const sealed = await seal(alice, BOB, 'hello');
  bob.unconfirmed.beginBatch();
  await open(bob, ALICE, sealed);
  bob.unconfirmed.discard();
  expect(await open(bob, ALICE, { ...sealed, ciphertext: Uint8Array.from(sealed.ciphertext) })).toBe('hello');
});

test('both write first at the same time, in any order of arrival: every message opens', async () => {
  const step = fc.constantFrom('alice writes', 'bob writes', 'alice gets', 'bob gets');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 60 }), async (steps) => {
      const { alice, bob } = await acquainted();
      await bob.repository.injectE2ESession({ jid: ALICE, session: alice.bundle() });
      const toAlice: { type: 'pkmsg' | 'msg'; ciphertext: Uint8Array }[] = [];
      const toBob: typeof toAlice = [];
      for (const [i, what] of steps.entries()) {
        if (what === 'alice writes') toBob.push(await seal(alice, BOB, `${i}`));
        if (what === 'bob writes') toAlice.push(await seal(bob, ALICE, `${i}`));
        const forAlice = what === 'alice gets' ? toAlice.shift() : undefined;
        const forBob = what === 'bob gets' ? toBob.shift() : undefined;
        if (forAlice) expect(await open(alice, BOB, forAlice)).toMatch(/^\d+$/);
        if (forBob) expect(await open(bob, ALICE, forBob)).toMatch(/^\d+$/);
      }
    }),
    { numRuns: 40 },
  );
});

test('a session begun under the number goes on under the LID', async () => {
  const { alice, bob } = await acquainted();
  await open(bob, ALICE, await seal(alice, BOB, 'by number'));
  await bob.mapping.note('491700000001', '1555');
  await bob.repository.migrateSession(ALICE, '1555@lid');
  const sealed = await seal(alice, BOB, 'still one session');
  expect(await open(bob, '1555@lid', sealed)).toBe('still one session');
  expect(await open(bob, ALICE, await seal(alice, BOB, 'either way'))).toBe('either way');
  expect(bob.repository.jidToSignalProtocolAddress(ALICE)).toBe('1555_1.0');
});

test('a deleted session is gone; its details are known before', async () => {
  const { alice, bob } = await acquainted();
  expect(await alice.repository.getSessionInfo(BOB)).toMatchObject({
    registrationId: bob.creds.registrationId,
  });
  await alice.repository.deleteSession([BOB]);
  expect(await alice.repository.getSessionInfo(BOB)).toBeNull();
  await expect(seal(alice, BOB, 'x')).rejects.toMatchObject({ failure: 'no_session' });
});

test('a store that fails while a message is opened is no fault of the message', async () => {
  const { alice, bob } = await acquainted();
  const sealed = await seal(alice, BOB, 'hello');
  await bob.cache.persist();
  bob.store.failing = true;
  await expect(open(bob, ALICE, sealed)).rejects.toThrow('down');
  bob.store.failing = false;
  expect(await open(bob, ALICE, sealed)).toBe('hello');
});

test('group messages: sender keys are handed out, open in order, and repeat as duplicates', async () => {
  const group = '12036300000@g.us';
  const alice = signalParty();
  const bob = signalParty();
  expect(await alice.repository.hasSenderKey({ group, meId: ALICE })).toBe(false);
  const sealed = await alice.repository.encryptGroupMessage({
    group,
    meId: ALICE,
    data: Buffer.from('to all'),
  });
  expect(await alice.repository.hasSenderKey({ group, meId: ALICE })).toBe(true);
  expect(alice.store.count('sender-key')).toBe(1);
  const item = { groupId: group, axolotlSenderKeyDistributionMessage: sealed.senderKeyDistributionMessage };
  await bob.repository.processSenderKeyDistributionMessage({ item, authorJid: ALICE });
  const read = () => bob.repository.decryptGroupMessage({ group, authorJid: ALICE, msg: sealed.ciphertext });
  expect(Buffer.from(await read()).toString()).toBe('to all');
  await expect(read()).rejects.toMatchObject({ failure: 'duplicate' });
  const again = await alice.repository.getSenderKeyDistributionMessage({ group, meId: ALICE });
  expect(again.length).toBeGreaterThan(0);
});
