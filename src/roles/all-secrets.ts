import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const keptSchema = z.object({ master_key: z.string(), api_key_pepper: z.string() });

/** What the processes encrypt and hash under, as hex. */
export interface Secrets {
  masterKey: string;
  apiKeyPepper: string;
}

/**
 * The secrets of this installation: from the configuration where it has them, else those in the data directory,
 * which are made at the first start. Whoever loses them loses the data.
 */
export async function keepSecrets(
  dataDir: string,
  given: { masterKey?: Buffer | undefined; apiKeyPepper?: Buffer | undefined },
): Promise<Secrets> {
  const file = path.join(dataDir, 'secrets.json');
  const text = await readFile(file, 'utf8').catch(() => undefined);
  const kept = text === undefined ? newSecrets() : keptSchema.parse(JSON.parse(text));
  if (text === undefined && !(given.masterKey && given.apiKeyPepper)) await writePrivate(file, kept);
  return {
    masterKey: given.masterKey?.toString('hex') ?? kept.master_key,
    apiKeyPepper: given.apiKeyPepper?.toString('hex') ?? kept.api_key_pepper,
  };
}

/** Makes the data directory. Others may pass through (the database may run as another user) but not look around. */
export async function makeDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  await chmod(dataDir, 0o711);
}

/** Writes JSON that only the current user can read, or fails where the file is there already. */
export async function writePrivate(file: string, value: object): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
}

function newSecrets(): z.output<typeof keptSchema> {
  return { master_key: randomBytes(32).toString('hex'), api_key_pepper: randomBytes(32).toString('hex') };
}
