import DataLoader from 'dataloader';
import type { AccountCipher, Vault } from '../platform/crypto/vault.ts';
import type { Database } from '../platform/db/database.ts';
import { type KeyWrite, LeaseLostError, type SessionKeyStore } from '../whatsapp/session-key-store.ts';
import * as system from './keys.system.ts';
import type { Lease } from './leases.system.ts';

/** One session's writes: stored all or none. */
type Unit = readonly system.SealedWrite[];

/** Makes the key stores of a process: reads and writes of all its sessions are batched together. */
export interface SessionKeyStores {
  of(lease: Lease): SessionKeyStore;
}

export function createSessionKeyStores({
  database,
  vault,
}: {
  database: Database;
  vault: Vault;
}): SessionKeyStores {
  const reads = new DataLoader<system.KeyAddress, Buffer | undefined, string>(
    (keys) => readBatch(database, keys),
    {
      cache: false,
      maxBatchSize: 500,
    },
  );
  const writes = new DataLoader<Unit, boolean>((units) => writeBatch(database, units), {
    cache: false,
    maxBatchSize: 50,
  });
  return { of: (lease) => createKeyStore({ database, vault, reads, writes }, lease) };
}

interface Parts {
  database: Database;
  vault: Vault;
  reads: DataLoader<system.KeyAddress, Buffer | undefined, string>;
  writes: DataLoader<Unit, boolean>;
}

function createKeyStore({ database, vault, reads, writes }: Parts, lease: Lease): SessionKeyStore {
  const { sessionId, epoch, accountId } = lease;
  /** Writes of one session follow each other, or an older ratchet state could land on a newer one. */
  let tail: Promise<unknown> = Promise.resolve();

  async function inTurn(write: (cipher: AccountCipher) => Promise<boolean>): Promise<void> {
    const turn = tail.then(async () => {
      if (!(await write(await vault.of(accountId))))
        throw new LeaseLostError(`session ${sessionId} moved on`);
    });
    tail = turn.catch(() => undefined);
    await turn;
  }

  return {
    async loadCredentials() {
      const sealed = await database.systemOnce((tx) => system.readCredentials(tx, sessionId));
      return sealed && (await vault.of(accountId)).open(sealed, credentialsPurpose(sessionId));
    },
    saveCredentials: (credentials) =>
      inTurn((cipher) =>
        database.systemOnce((tx) =>
          system.writeCredentials(
            tx,
            { sessionId, epoch },
            cipher.seal(credentials, credentialsPurpose(sessionId)),
          ),
        ),
      ),
    async get(kind, ids) {
      const cipher = await vault.of(accountId);
      const found = await Promise.all(ids.map((keyId) => reads.load({ sessionId, kind, keyId })));
      return new Map(
        found.flatMap((sealed, i) => {
          const keyId = ids[i];
          return sealed === undefined || keyId === undefined
            ? []
            : [[keyId, cipher.open(sealed, keyPurpose(sessionId, kind, keyId))] as const];
        }),
      );
    },
    set: (news) =>
      news.length === 0 ? Promise.resolve() : inTurn((cipher) => writes.load(seal(news, lease, cipher))),
  };
}

function seal(news: readonly KeyWrite[], { sessionId, epoch }: Lease, cipher: AccountCipher): Unit {
  return news.map(({ kind, id, value }) => ({
    sessionId,
    epoch,
    kind,
    keyId: id,
    sealed: value && cipher.seal(value, keyPurpose(sessionId, kind, id)),
  }));
}

async function readBatch(
  database: Database,
  keys: readonly system.KeyAddress[],
): Promise<(Buffer | undefined)[]> {
  const rows = await database.systemOnce((tx) => system.readKeys(tx, keys));
  const found = new Map(rows.map((row) => [`${row.session_id}/${row.kind}/${row.key_id}`, row.sealed]));
  return keys.map((key) => found.get(`${key.sessionId}/${key.kind}/${key.keyId}`));
}

async function writeBatch(database: Database, units: readonly Unit[]): Promise<boolean[]> {
  const last = new Map(
    units.flat().map((write) => [`${system.fenceKey(write)}/${write.kind}/${write.keyId}`, write]),
  );
  const held = await database.systemOnce((tx) => system.writeKeys(tx, [...last.values()]));
  return units.map(([first]) => first === undefined || held.has(system.fenceKey(first)));
}

function credentialsPurpose(sessionId: string): string {
  return `credentials:${sessionId}`;
}

function keyPurpose(sessionId: string, kind: string, keyId: string): string {
  return `key:${sessionId}:${kind}:${keyId}`;
}
