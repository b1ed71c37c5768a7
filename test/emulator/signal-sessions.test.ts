import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Phone } from '../../src/emulator/network/phone.ts';
import { Realm } from '../../src/emulator/network/realm.ts';
import { type Ciphertext, SignalSessions } from '../../src/emulator/phone/signal-sessions.ts';
import { emulationAt } from './support/emulation.ts';

interface Party {
  phone: Phone;
  sessions: SignalSessions;
  /** What the other one wrote and this one did not get yet. */
  mail: { sealed: Ciphertext; text: string }[];
}

/** Two phones that have heard nothing of each other. */
async function strangers(): Promise<[Party, Party]> {
  const realm = new Realm(await emulationAt({ ms: 0 }), 'realm', () => undefined);
  const party = (number: string): Party => {
    const phone = realm.phone(number);
    return { phone, sessions: new SignalSessions(phone), mail: [] };
  };
  return [party('491700000001'), party('491700000002')];
}

const peer = ({ phone }: Party) => ({ number: phone.number, device: 0 });

async function write(from: Party, to: Party, text: string): Promise<Ciphertext> {
  const bundle = () => to.phone.takeKeyBundle();
  const sealed = await from.sessions.encrypt(peer(to), Buffer.from(text), bundle);
  to.mail.push({ sealed, text });
  return sealed;
}

const open = async (at: Party, from: Party, sealed: Ciphertext) =>
  Buffer.from(await at.sessions.decrypt(peer(from), sealed)).toString();

/** Takes one of the oldest letters: a few may overtake each other. */
async function get(at: Party, from: Party, position: number): Promise<void> {
  const [letter] = at.mail.splice(position % Math.max(1, at.mail.length), 1);
  if (letter) expect(await open(at, from, letter.sealed)).toBe(letter.text);
}

describe('the Signal sessions of two phones that write first at the same time', () => {
  it('open every message, in any order of writing and arrival', async () => {
    const step = fc.record({ who: fc.nat(1), writes: fc.boolean(), position: fc.nat(2) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 60, maxLength: 120 }), async (steps) => {
        const [alice, bob] = await strangers();
        await write(alice, bob, 'first');
        await write(bob, alice, 'first');
        for (const [i, { who, writes, position }] of steps.entries()) {
          const [one, other] = who === 0 ? [alice, bob] : [bob, alice];
          await (writes ? write(one, other, `text ${i}`) : get(one, other, position));
        }
        while (alice.mail.length > 0) await get(alice, bob, 0);
        while (bob.mail.length > 0) await get(bob, alice, 0);
        alice.sessions.close();
        bob.sessions.close();
      }),
      { numRuns: 40 },
    );
  });

  it('know a message again that any of them opened', async () => {
    const [alice, bob] = await strangers();
    const crossing = await write(alice, bob, 'from alice');
    await open(alice, bob, await write(bob, alice, 'from bob'));
    await open(bob, alice, crossing);
    const answers = [await write(alice, bob, 'one'), await write(bob, alice, 'two')] as const;
    await open(bob, alice, answers[0]);
    await open(alice, bob, answers[1]);
    await expect(open(bob, alice, answers[0])).rejects.toMatch('DuplicatedMessage');
    await expect(open(alice, bob, answers[1])).rejects.toMatch('DuplicatedMessage');
  });
});

describe('a message that does not open', () => {
  /** In a message that begins a session the last bytes are no part of what is authenticated. */
  const damaged = ({ type, body }: Ciphertext): Ciphertext => ({
    type,
    body: body.map((byte, i) => (i === body.length - 10 ? byte ^ 1 : byte)),
  });

  it('leaves no trace, whether it begins a session or goes on with one', async () => {
    const [alice, bob] = await strangers();
    const first = await write(alice, bob, 'hello');
    await expect(open(bob, alice, damaged(first))).rejects.toMatch('BadMac');
    expect(bob.phone.sessions.size).toBe(0);
    expect(await open(bob, alice, first)).toBe('hello');
    const answer = await write(bob, alice, 'hi');
    const before = new Map(alice.phone.sessions);
    await expect(open(alice, bob, damaged(answer))).rejects.toMatch('BadMac');
    expect(alice.phone.sessions).toEqual(before);
    expect(await open(alice, bob, answer)).toBe('hi');
  });
});
