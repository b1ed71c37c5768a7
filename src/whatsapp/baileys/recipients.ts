import { jidEncode } from '@whiskeysockets/baileys';
import type { WhatsAppIdentity } from '../socket.ts';
import type { DeviceDirectory } from './devices.ts';
import { isLid, lidJid, parseJid, phoneJid, userJid } from './jid.ts';
import type { KeyCache } from './key-cache.ts';
import type { LidMapping } from './lid-mapping.ts';
import type { CachedDevice } from './usync.ts';
import type { Wire } from './wire.ts';

interface RecipientParts {
  wire: Pick<Wire, 'assertSessions' | 'executeUSyncQuery' | 'signalRepository'>;
  directory: DeviceDirectory;
  mapping: LidMapping;
  cache: KeyCache;
  /** This device's jids. */
  self: () => { id: string; lid: string };
}

/** The jid that a user is written to under: the number where it is known, else the LID. */
export function recipientJid({ phone, lid }: WhatsAppIdentity): string | undefined {
  return phone !== undefined ? phoneJid(phone) : lid !== undefined ? lidJid(lid) : undefined;
}

/**
 * Finds every device that a message must be encrypted for, the recipient's and our own other ones, and gets a Signal
 * session with each. Done before Baileys' `relayMessage`, which would send a message without any ciphertext when one of
 * these questions goes unanswered.
 * @returns devices by user, each with a session; the recipient has at least one
 * @throws Error when WhatsApp gave no answer, or when the recipient has no device that can be written to
 */
export async function prepareRecipient(
  parts: RecipientParts,
  jid: string,
): Promise<Map<string, CachedDevice[]>> {
  const { wire, directory, mapping } = parts;
  const self = parts.self();
  const ownJid = userJid(isLid(jid) ? self.lid : self.id);
  const lists = await directory.resolve(wire, [...new Set([ownJid, jid])], self, (phone, lid) =>
    mapping.note(phone, lid),
  );
  const devices = [...lists.values()]
    .flat()
    .filter((device) => ![self.id, self.lid].includes(deviceJid(device)));
  const unreachable = await withoutSession(parts, devices.map(deviceJid));
  const usable = new Map<string, CachedDevice[]>([[parseJid(ownJid)?.user ?? '', []]]);
  for (const [user, list] of lists) {
    usable.set(
      user,
      list.filter((device) => !unreachable.has(deviceJid(device))),
    );
  }
  const recipient = parseJid(jid)?.user ?? '';
  if ((usable.get(recipient)?.length ?? 0) > 0) return usable;
  // The list may be wrong: the next try asks again.
  directory.forget([recipient]);
  throw new Error('the recipient has no device that can be written to');
}

function deviceJid({ user, server, device }: CachedDevice): string {
  return jidEncode(user, server, device);
}

/** Gets sessions with devices. @returns those that WhatsApp has no valid keys for */
async function withoutSession(parts: RecipientParts, jids: readonly string[]): Promise<Set<string>> {
  const missing = await missingSessions(parts, jids);
  if (missing.length === 0) return new Set();
  try {
    await parts.wire.assertSessions(missing);
  } catch {
    // One device with bad keys fails the question for all: each by itself.
    return await oneByOne(parts, missing);
  }
  if ((await missingSessions(parts, missing)).length > 0)
    throw new Error('WhatsApp did not give the recipient’s keys');
  return new Set();
}

async function oneByOne({ wire }: RecipientParts, jids: readonly string[]): Promise<Set<string>> {
  const unreachable = new Set<string>();
  for (const jid of jids) {
    await wire.assertSessions([jid]).catch(() => unreachable.add(jid));
  }
  return unreachable;
}

async function missingSessions(
  { wire, mapping, cache }: RecipientParts,
  jids: readonly string[],
): Promise<string[]> {
  const addresses = await Promise.all(
    jids.map(async (jid) => wire.signalRepository.jidToSignalProtocolAddress(await mapping.canonical(jid))),
  );
  const sessions = await cache.getMany('session', addresses);
  const candidates = jids.filter((_, i) => !sessions.has(addresses[i] ?? ''));
  const missing: string[] = [];
  for (const jid of candidates) {
    // A session that a message just brought may not be committed yet.
    if (!(await wire.signalRepository.validateSession(jid)).exists) missing.push(jid);
  }
  return missing;
}
