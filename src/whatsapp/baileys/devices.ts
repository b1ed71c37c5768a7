import type { CacheStore } from '@whiskeysockets/baileys';
import type { Clock } from '../../lib/clock.ts';
import { parseJid, userJid } from './jid.ts';
import type { KeyCache } from './key-cache.ts';
import { type CachedDevice, queryDevices } from './usync.ts';
import type { Wire } from './wire.ts';

const KIND = 'devices';
/** A list is asked for again after this time; in between, WhatsApp announces every change. */
const FRESH_MS = 24 * 60 * 60 * 1000;

interface StoredList {
  devices: CachedDevice[];
  /** When WhatsApp gave the whole list, in milliseconds since the epoch. */
  at: number;
}

/**
 * Which devices users have. Lives in the session's key store, so a known contact costs no question after a restart, and
 * serves as Baileys' `userDevicesCache`, through which Baileys applies the changes that WhatsApp announces.
 */
export class DeviceDirectory {
  readonly #cache: KeyCache;
  readonly #clock: Clock;
  /** What Baileys gets to see of users while a message to them is under way: exactly the devices prepared for it. */
  readonly #pinned = new Map<string, CachedDevice[]>();

  constructor(cache: KeyCache, clock: Clock) {
    this.#cache = cache;
    this.#clock = clock;
  }

  /**
   * The devices of users, asked for where unknown or old.
   * @param onLid called with each LID that came along
   * @returns devices by the user part of each jid; users without any have none
   * @throws Error when WhatsApp gave no answer
   */
  async resolve(
    wire: Pick<Wire, 'executeUSyncQuery'>,
    jids: readonly string[],
    self: { id: string; lid: string },
    onLid: (phone: string, lid: string) => Promise<unknown>,
  ): Promise<Map<string, CachedDevice[]>> {
    const found = new Map<string, CachedDevice[]>();
    const asked: string[] = [];
    for (const jid of jids) {
      const user = parseJid(jid)?.user ?? '';
      const stored = await this.#load(user);
      if (stored !== undefined && this.#clock.now().getTime() - stored.at < FRESH_MS)
        found.set(user, stored.devices);
      else asked.push(userJid(jid));
    }
    if (asked.length === 0) return found;
    for (const { user, devices, lid } of await queryDevices(wire, asked, self)) {
      if (lid !== undefined) await onLid(user, lid);
      found.set(user, devices);
      if (devices.length > 0) this.#save(user, { devices, at: this.#clock.now().getTime() });
    }
    return found;
  }

  /** Device numbers of a user, as far as known. */
  async numbersOf(user: string): Promise<number[]> {
    return (await this.#load(user))?.devices.flatMap(({ device }) => device ?? 0) ?? [];
  }

  /** Shows Baileys these devices, and no others, until `release`. */
  pin(devices: ReadonlyMap<string, CachedDevice[]>): void {
    for (const [user, list] of devices) this.#pinned.set(user, list);
  }

  release(): void {
    this.#pinned.clear();
  }

  /** Forgets what is known of users, so that the next message asks again. */
  forget(users: readonly string[]): void {
    this.#cache.put(users.map((id) => ({ kind: KIND, id, value: null })));
  }

  /** The directory as Baileys' cache, which holds lists of devices by user. */
  asBaileysCache(): CacheStore {
    const listOf = async (user: string) => this.#pinned.get(user) ?? (await this.#load(user))?.devices;
    return {
      get: async (user) => copy(await listOf(user)),
      set: async (user, devices) => {
        if (isDeviceList(devices)) this.#save(user, { devices, at: (await this.#load(user))?.at ?? 0 });
      },
      del: (user) => this.forget([user]),
      flushAll: () => undefined,
    };
  }

  async #load(user: string): Promise<StoredList | undefined> {
    const bytes = await this.#cache.get(KIND, user);
    if (bytes === undefined) return undefined;
    const stored: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return isStoredList(stored) ? stored : undefined;
  }

  #save(user: string, list: StoredList): void {
    this.#cache.put([{ kind: KIND, id: user, value: Buffer.from(JSON.stringify(list)) }]);
  }
}

/** Baileys names the type that it expects: always the list that was set, or nothing, for which `null` serves. */
function copy<T>(list: CachedDevice[] | undefined): T {
  return JSON.parse(JSON.stringify(list ?? null));
}

function isStoredList(value: unknown): value is StoredList {
  return (
    typeof value === 'object' &&
    value !== null &&
    'devices' in value &&
    'at' in value &&
    isDeviceList(value.devices)
  );
}

function isDeviceList(value: unknown): value is CachedDevice[] {
  return (
    Array.isArray(value) &&
    value.every((item) => typeof item === 'object' && item !== null && 'user' in item && 'server' in item)
  );
}
