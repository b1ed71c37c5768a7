import type { BinaryNode } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { PrivacyTokens } from '../../../src/whatsapp/baileys/privacy-tokens.ts';
import { signalParty } from '../support/signal-party.ts';

const CONTACT = '491700000001@s.whatsapp.net';
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

function setUp(answer?: BinaryNode) {
  const party = signalParty();
  const clock = { ms: 1_800_000_000_000 };
  const tokens = new PrivacyTokens(party.cache, party.mapping, {
    now: () => new Date(clock.ms),
    sleep: async () => undefined,
  });
  const issued: string[][] = [];
  const wire = {
    issuePrivacyTokens: async (jids: string[]) => {
      issued.push(jids);
      return answer;
    },
  };
  return { ...party, clock, tokens, issued, wire };
}

const answered: BinaryNode = {
  tag: 'iq',
  attrs: { type: 'result' },
  content: [
    {
      tag: 'tokens',
      attrs: {},
      content: [
        { tag: 'token', attrs: { type: 'trusted_contact', t: '1800000000' }, content: Buffer.from('theirs') },
      ],
    },
  ],
};

test('a contact gets one token a week', async () => {
  const { tokens, clock } = setUp(answered);
  expect(await tokens.claim(CONTACT, false)).toBeDefined();
  expect(await tokens.claim(CONTACT, false)).toBeUndefined();
  clock.ms += WEEK_MS;
  expect(await tokens.claim(CONTACT, false)).toBeDefined();
});

test('the note is kept under the LID, and the token goes to number or LID as WhatsApp wants it', async () => {
  const { tokens, mapping, cache } = setUp(answered);
  await mapping.note('491700000001', '1555');
  expect(await tokens.claim(CONTACT, false)).toMatchObject({ storedUnder: '1555@lid', issueTo: CONTACT });
  expect(await tokens.claim('1555@lid', true)).toBeUndefined();
  cache.put([{ kind: 'tctoken', id: '1555@lid', value: null }]);
  expect(await tokens.claim(CONTACT, true)).toMatchObject({ issueTo: '1555@lid' });
});

test('a token that could not be given is given with the next message', async () => {
  const { tokens, wire, issued } = setUp(undefined);
  const due = await tokens.claim(CONTACT, false);
  if (due) await tokens.give(wire, due);
  expect(issued).toEqual([[CONTACT]]);
  expect(await tokens.claim(CONTACT, false)).toBeDefined();
});

test('the contact’s own token in the answer is kept, and the week is not forgotten over it', async () => {
  const { tokens, wire, cache } = setUp(answered);
  const due = await tokens.claim(CONTACT, false);
  if (due) await tokens.give(wire, due);
  const stored = Buffer.from((await cache.get('tctoken', CONTACT)) ?? []).toString();
  expect(stored).toContain(Buffer.from('theirs').toString('base64'));
  expect(await tokens.claim(CONTACT, false)).toBeUndefined();
});
