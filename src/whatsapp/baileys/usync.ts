import {
  type BinaryNode,
  extractDeviceJids,
  getBinaryNodeChild,
  getBinaryNodeChildren,
  getBinaryNodeChildString,
  USyncQuery,
  USyncUser,
} from '@whiskeysockets/baileys';
import type { WhatsAppIdentity } from '../socket.ts';
import { identityOf, parseJid } from './jid.ts';
import { asNode } from './nodes.ts';
import type { Wire } from './wire.ts';

/** A device as Baileys caches it, by the user part of its jid. */
export type CachedDevice = ReturnType<typeof extractDeviceJids>[number];

export interface FoundUser {
  /** User part of the jid that was asked for. */
  user: string;
  devices: CachedDevice[];
  /** The user's LID where a number was asked for. */
  lid?: string;
}

/**
 * Asks for the devices of users, and for the LIDs of those named by number. Not Baileys' own query, because that
 * fetches new keys for users long known.
 * @param self this device's jids, which the answer leaves out
 * @throws Error when no answer came: nothing may be concluded then
 */
export async function queryDevices(
  wire: Pick<Wire, 'executeUSyncQuery'>,
  jids: readonly string[],
  self: { id: string; lid: string },
): Promise<FoundUser[]> {
  const query = new USyncQuery().withContext('message').withDeviceProtocol().withLIDProtocol();
  for (const jid of jids) query.withUser(new USyncUser().withId(jid));
  const result = await wire.executeUSyncQuery(query);
  if (result === undefined) throw new Error('WhatsApp did not say which devices the recipient has');
  return result.list.map((entry) => {
    const lid = typeof entry['lid'] === 'string' ? parseJid(entry['lid'])?.user : undefined;
    return {
      user: parseJid(entry.id)?.user ?? '',
      devices: extractDeviceJids([entry], self.id, self.lid, false),
      ...(lid === undefined ? {} : { lid }),
    };
  });
}

/**
 * Looks numbers up (digits). Asks and reads by itself because Baileys' parser drops the number that was asked for,
 * which can differ from the one that the account is registered under.
 * @returns an entry for every number; `null` where WhatsApp says that the number is not on WhatsApp
 * @throws Error when no answer came for a number
 */
export async function queryNumbers(
  wire: Pick<Wire, 'query' | 'generateMessageTag'>,
  phones: readonly string[],
): Promise<Map<string, WhatsAppIdentity | null>> {
  const answer: unknown = await wire.query(numbersQuery(phones, wire.generateMessageTag()));
  const users = getBinaryNodeChildren(
    getBinaryNodeChild(getBinaryNodeChild(asNode(answer), 'usync'), 'list'),
    'user',
  );
  const found = new Map<string, WhatsAppIdentity | null>();
  for (const user of users) {
    const contact = getBinaryNodeChild(user, 'contact');
    const asked =
      getBinaryNodeChildString(user, 'contact')?.replace('+', '') ?? parseJid(user.attrs['jid'])?.user;
    if (asked === undefined || contact === undefined) continue;
    const isThere = contact.attrs['type'] === 'in';
    const lid = getBinaryNodeChild(user, 'lid')?.attrs['val'];
    found.set(asked, isThere ? identityOf(user.attrs['jid'], lid) : null);
  }
  const silent = phones.filter((phone) => !found.has(phone));
  if (silent.length > 0)
    throw new Error(`WhatsApp gave no answer for ${silent.length} of ${phones.length} numbers`);
  return found;
}

function numbersQuery(phones: readonly string[], sid: string): BinaryNode {
  const element = (
    tag: string,
    content?: BinaryNode['content'],
    attrs: BinaryNode['attrs'] = {},
  ): BinaryNode => (content === undefined ? { tag, attrs } : { tag, attrs, content });
  const users = phones.map((phone) => element('user', [element('contact', `+${phone}`)]));
  const usync = element(
    'usync',
    [element('query', [element('contact'), element('lid')]), element('list', users)],
    {
      context: 'interactive',
      mode: 'query',
      sid,
      last: 'true',
      index: '0',
    },
  );
  return element('iq', [usync], { to: '@s.whatsapp.net', type: 'get', xmlns: 'usync' });
}
