import { z } from 'zod';
import { deriveKey } from '../../platform/crypto/derived-key.ts';
import { type AccountCipher, seal, unseal, type Vault } from '../../platform/crypto/vault.ts';

const contentSchema = z.object({ to: z.string(), subject: z.string(), text: z.string(), html: z.string() });

/** What a mail says, and to whom. */
export type MailContent = z.output<typeof contentSchema>;

/** Whose mail it is: without an account, the server's own. */
interface Owner {
  id: string;
  accountId: string | null;
}

/** Seals mails: under the account's data key, or under a key of the server's own for people without an account. */
export interface MailCipher {
  /** @throws Error when the account was erased */
  seal(mail: Owner, content: MailContent): Promise<Buffer>;
  open(mail: Owner, sealed: Uint8Array): Promise<MailContent>;
}

/** @param masterKey 32 bytes; the server's own mail key follows from it */
export function createMailCipher({
  vault,
  masterKey,
}: {
  vault: Pick<Vault, 'of'>;
  masterKey: Uint8Array;
}): MailCipher {
  const key = deriveKey(masterKey, 'pingr mail');
  const own: AccountCipher = {
    seal: (plain, purpose) => seal(key, plain, purpose),
    open: (sealed, purpose) => unseal(key, sealed, purpose),
  };
  const cipherOf = async (accountId: string | null) => (accountId === null ? own : vault.of(accountId));
  return {
    async seal({ id, accountId }, content) {
      return (await cipherOf(accountId)).seal(Buffer.from(JSON.stringify(content)), purposeOf(id));
    },
    async open({ id, accountId }, sealed) {
      const plain = (await cipherOf(accountId)).open(sealed, purposeOf(id));
      return contentSchema.parse(JSON.parse(plain.toString()));
    },
  };
}

function purposeOf(id: string): string {
  return `mail:${id}`;
}
