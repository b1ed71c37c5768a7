import type { proto } from '@whiskeysockets/baileys/WAProto/index.js';
import type { InboxEntry, StoredMessage } from '../network/inbox.ts';
import type { Phone } from '../network/phone.ts';
import { parseJid } from '../wire/jid.ts';
import { bytesOf, child, type WireNode } from '../wire/node.ts';
import { parse, read } from './content.ts';
import type { PhoneContext } from './phone-context.ts';
import { confirmDelivery, readEntries } from './receipts.ts';
import { requestRetry } from './retry.ts';
import { sendText } from './send.ts';
import { isRepeated } from './signal-sessions.ts';

/** Where a message stanza comes from. */
interface Origin {
  author: Phone;
  device: number;
  id: string;
  isOwn: boolean;
}

interface Opened {
  message: proto.IMessage;
  encryption: StoredMessage['encryption'];
}

/** Opens a message that reached the phone, keeps it, and does what the phone's user would. Runs in the phone's lane. */
export async function receiveMessage(context: PhoneContext, stanza: WireNode): Promise<void> {
  const origin = originOf(context, stanza);
  if (!origin) return;
  const opened = await open(context, stanza, origin);
  if (opened === 'repeated') return noteDuplicate(context, origin);
  if (opened === 'undecryptable') return requestRetry(context, stanza, origin.author.number);
  context.retries.delete(`${origin.author.number}/${origin.id}`);
  if (stanza.attrs['category'] === 'peer') return;
  keep(context, stanza, origin, opened);
}

function originOf({ realm, phone }: PhoneContext, { attrs }: WireNode): Origin | undefined {
  const from = parseJid(attrs['from']);
  const author = realm.resolve(from);
  const id = attrs['id'];
  if (!from || !author || id === undefined) return undefined;
  return { author, device: from.device, id, isOwn: author === phone };
}

async function open(
  context: PhoneContext,
  stanza: WireNode,
  { author, device }: Origin,
): Promise<Opened | 'repeated' | 'undecryptable'> {
  const plain = bytesOf(child(stanza, 'plaintext'));
  if (plain) return { message: parse(plain), encryption: 'none' };
  const enc = child(stanza, 'enc');
  const body = bytesOf(enc);
  const type = enc?.attrs['type'] === 'pkmsg' ? 'pkmsg' : 'msg';
  if (!body) return 'undecryptable';
  try {
    const plaintext = await context.sessions.decrypt({ number: author.number, device }, { type, body });
    return { message: parse(plaintext), encryption: type };
  } catch (err) {
    if (isRepeated(err)) return 'repeated';
    context.emulation.log.warn({ err, from: author.number, device }, 'phone could not decrypt');
    return 'undecryptable';
  }
}

function keep(context: PhoneContext, stanza: WireNode, origin: Origin, opened: Opened): void {
  if (context.phone.inbox.find(origin.author.number, origin.id)) return noteDuplicate(context, origin);
  const copy = opened.message.deviceSentMessage;
  const content = read(copy?.message ?? opened.message);
  const target = copy ? context.realm.resolve(copy.destinationJid ?? undefined) : context.phone;
  const entry = context.phone.inbox.add({
    id: origin.id,
    from: origin.author.number,
    to: target?.number ?? context.phone.number,
    direction: origin.isOwn ? 'out' : 'in',
    kind: content.kind,
    text: content.text,
    receivedAt: context.emulation.now().toISOString(),
    encryption: opened.encryption,
    duplicates: 0,
    fromDevice: origin.device,
    addressing: stanza.attrs['addressing_mode'] === 'lid' ? 'lid' : 'pn',
    ...quoteOf(context, content),
  });
  if (!origin.isOwn) react(context, entry);
}

function quoteOf({ realm }: PhoneContext, { quoted }: ReturnType<typeof read>): Partial<StoredMessage> {
  if (quoted === undefined) return {};
  const author = realm.resolve(parseJid(quoted.author));
  return {
    quotedId: quoted.id,
    ...(author !== undefined && { quotedFrom: author.number }),
    ...(quoted.text !== undefined && { quotedText: quoted.text }),
  };
}

function noteDuplicate(context: PhoneContext, { author, id, isOwn }: Origin): void {
  const entry = context.phone.inbox.find(author.number, id);
  if (!entry) return;
  context.phone.inbox.update(entry, { duplicates: entry.message.duplicates + 1 });
  if (isOwn) return;
  context.emulation.counters.duplicates++;
  confirmDelivery(context, entry.message);
}

function react(context: PhoneContext, entry: InboxEntry): void {
  const { emulation, phone } = context;
  const { read: reading, reply } = phone.record.behavior;
  confirmDelivery(context, entry.message);
  if (reading) emulation.timers.after(reading.after_ms, () => readEntries(context, [entry]));
  // Phones answer people, not each other: two that reply would never stop.
  if (!reply || entry.message.fromDevice === 0) return;
  const answer = { to: entry.message.from, body: reply.text };
  emulation.timers.after(reply.after_ms, async () => void (await sendText(context, answer)));
}
