import fc from 'fast-check';
import { expect, it } from 'vitest';
import { emulated, freshNumber } from '../whatsapp/support/emulated.ts';
import { text } from '../whatsapp/support/linked-session.ts';
import { until } from './support/until.ts';

const world = emulated();

/** Who writes, one after the other, while the phone looks at nothing; and whether all arrives before the next round. */
const round = fc.record({
  writers: fc.array(fc.constantFrom('client', 'phone'), { minLength: 1, maxLength: 8 }),
  settles: fc.boolean(),
});
const FIRST_CONTACT = { writers: ['client', 'phone'], settles: true };
const ROUNDS = [FIRST_CONTACT, ...fc.sample(round, { numRuns: 30, seed: 1 })];

it('a client and a phone that first write to each other at the same time get all that they go on to write', async () => {
  const { session, socket, phone } = await world.linked();
  const { control } = world;
  const friend = freshNumber();
  await control.createPhone({ phone: friend });
  const hold = (deliver: 'never' | 'now') => control.change(friend, { behavior: { deliver } });
  const received = () => session.messages.map(({ content }) => (content.type === 'text' ? content.body : ''));
  const written: Record<string, string[]> = { client: [], phone: [] };
  const write = (writer: string) => {
    const body = `${writer} ${written[writer]?.length}`;
    written[writer]?.push(body);
    return writer === 'client' ? socket.send(text(friend, body)) : control.write(friend, phone, body);
  };
  const settled = async () => {
    await world.arrived(friend, written['client']?.length ?? 0);
    await until(async () => (await control.stats())['queued'] === 0, 'every acknowledgement');
  };

  const { messages_out: before = 0 } = await control.stats();
  for (const { writers, settles } of ROUNDS) {
    await hold('never');
    for (const writer of writers) await write(writer);
    await hold('now');
    if (settles) await settled();
  }
  await settled();

  const inbox = await world.arrived(friend, 0);
  expect(inbox.map(({ text: body }) => body)).toEqual(written['client']);
  expect(received()).toEqual(written['phone']);
  expect(inbox.every(({ duplicates }) => duplicates === 0)).toBe(true);
  // More than the phone wrote would be what the client asked for again.
  const messagesOut = before + received().length;
  expect(await control.stats()).toMatchObject({ undecryptable: 0, messages_out: messagesOut });
});
