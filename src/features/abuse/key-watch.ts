import { LRUCache } from 'lru-cache';
import type { Clock } from '../../lib/clock.ts';
import type { Mode } from '../../lib/mode.ts';
import type { Database } from '../../platform/db/database.ts';
import { type Authenticate, isRefusal, type Principal } from '../../platform/http/admission.ts';
import type { Log } from '../../platform/log/log.ts';
import type { CountryOf } from '../../platform/net/country-database.ts';
import type { Suspicion } from './abuse.model.ts';
import { noteUses } from './abuse.system.ts';
import type { KeyUse } from './key-uses.model.ts';
import { networkOf } from './networks.model.ts';
import { createSuspectAddresses, type SuspectAddresses } from './suspect-addresses.ts';

/** How often new uses are written. */
const FLUSH_MS = 1_000;
/** A use that is known is noted again after this, so that networks and countries in use do not age away. */
const KNOWN_MS = 6 * 3_600_000;
const MOST_KNOWN = 100_000;
/** More than this between two writes is dropped: these are hints, and memory is bounded. */
const MOST_PENDING = 5_000;

/** A key that exists. */
interface KnownKey {
  id: string;
  account_id: string;
  mode: Mode;
}

export interface KeyWatchParts {
  database: Pick<Database, 'system'>;
  countryOf: CountryOf;
  clock: Clock;
  log: Log;
  /** Makes alerts. */
  raise: (suspicions: readonly Suspicion[]) => Promise<void>;
}

/** Watches where keys are used from and which addresses try keys that fail. Costs a request two look-ups in memory. */
export class KeyWatch {
  readonly #parts: KeyWatchParts;
  readonly #addresses: SuspectAddresses;
  readonly #known: LRUCache<string, true>;
  readonly #timer: NodeJS.Timeout;
  readonly #uses = new Map<string, KeyUse>();
  readonly #suspicions = new Map<string, Suspicion>();
  #writing: Promise<void> | undefined;

  constructor(parts: KeyWatchParts) {
    this.#parts = parts;
    this.#addresses = createSuspectAddresses(parts.clock);
    this.#known = new LRUCache({ max: MOST_KNOWN, ttl: KNOWN_MS });
    this.#timer = setInterval(() => {
      // A write that takes long is followed by one, not by one for every second that it took.
      this.#writing ??= this.#write().finally(() => {
        this.#writing = undefined;
      });
    }, FLUSH_MS);
  }

  /** The check of keys, watched. */
  watched(authenticate: Authenticate): Authenticate {
    return async (credential, ip) => {
      try {
        const principal = await authenticate(credential, ip);
        this.#admitted(principal, ip);
        return principal;
      } catch (error) {
        if (isRefusal(error) && this.#addresses.refused(ip)) {
          this.#parts.log.warn({ ip }, 'many keys fail from one address');
        }
        throw error;
      }
    };
  }

  /** A key that exists was refused; what calls this is the check of keys itself. */
  refused(key: KnownKey, ip: string): void {
    this.#suspectFrom(key, ip);
  }

  /** Writes what is pending. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    await this.#write();
  }

  #admitted({ actor, accountId, mode }: Principal, ip: string): void {
    if (actor.type !== 'api_key') return;
    this.#suspectFrom({ id: actor.id, account_id: accountId, mode }, ip);
    const use = `${actor.id} ${ip}`;
    if (this.#known.has(use) || this.#uses.size >= MOST_PENDING) return;
    this.#known.set(use, true);
    const network = networkOf(ip);
    if (network === undefined) return;
    const country = this.#parts.countryOf(ip) ?? null;
    this.#uses.set(`${actor.id} ${network} ${country}`, { keyId: actor.id, address: ip, network, country });
  }

  #suspectFrom(key: KnownKey, ip: string): void {
    const refused = this.#addresses.refusalsOf(ip);
    if (refused === undefined || this.#suspicions.size >= MOST_PENDING) return;
    this.#suspicions.set(`${key.id} ${ip}`, {
      kind: 'failing_keys',
      accountId: key.account_id,
      mode: key.mode,
      subject: key.id,
      detail: { address: ip, refused },
    });
  }

  async #write(): Promise<void> {
    try {
      await this.#note();
    } catch (error) {
      this.#parts.log.warn(
        { err: error, uses: this.#uses.size },
        'where keys were used from could not be noted',
      );
    }
    await this.#raise();
  }

  /** What could not be noted stays, since a use that is known would not be noted again for hours. */
  async #note(): Promise<void> {
    const uses = [...this.#uses];
    if (uses.length === 0 || this.#suspicions.size >= MOST_PENDING) return;
    const news = await this.#parts.database.system((tx) =>
      noteUses(
        tx,
        uses.map(([, use]) => use),
      ),
    );
    for (const [name] of uses) this.#uses.delete(name);
    for (const found of news) {
      this.#suspicions.set(`${found.kind} ${found.subject} ${JSON.stringify(found.detail)}`, found);
    }
  }

  async #raise(): Promise<void> {
    const pending = [...this.#suspicions];
    for (const [name, suspicion] of pending) {
      this.#suspicions.delete(name);
      try {
        await this.#parts.raise([suspicion]);
      } catch (error) {
        // Last from now on, so that one that cannot be raised holds up no other.
        this.#suspicions.set(name, suspicion);
        this.#parts.log.warn({ err: error, kind: suspicion.kind }, 'an alert could not be raised');
        return;
      }
    }
  }
}
