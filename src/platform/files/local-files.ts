import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import type { Clock } from '../../lib/clock.ts';
import { type FileLink, isValidLink, writeFileLink } from './file-link.ts';
import { fileErrors } from './files.errors.ts';
import { checkKey, type Files, type StoredFile } from './files.ts';

/** Files in a directory. Links to them lead to our own API, see `serveFiles`. */
export interface LocalFiles extends Files {
  /** Opens what a signed link stands for. @throws file.link_invalid, file.not_found */
  follow(link: FileLink & { signature: string }): Promise<{ content: Readable; bytes: number }>;
}

export interface LocalFilesOptions {
  dir: string;
  /** Where the API is reached from outside, without a slash at the end. */
  publicUrl: string;
  /** 32 bytes. */
  signingKey: Uint8Array;
  clock: Clock;
}

/** Half-written files live here; no key begins with a dot. */
const UPLOADS = '.uploads';
/** Nothing is written for so long: what is older was left by a process that was killed. */
const ABANDONED_AFTER_MS = 86_400_000;

/** Opens a directory as storage, making it where it is missing. All processes must see the same directory. */
export async function openLocalFiles(options: LocalFilesOptions): Promise<LocalFiles> {
  const { dir, publicUrl, signingKey, clock } = options;
  const uploads = path.join(dir, UPLOADS);
  await mkdir(uploads, { recursive: true, mode: 0o700 });
  await removeAbandoned(uploads, clock.now());
  const pathOf = (key: string) => path.join(dir, checkKey(key));

  async function read(key: string): Promise<{ content: Readable; bytes: number }> {
    const handle = await open(pathOf(key), 'r').catch(orNotFound);
    const { size } = await handle.stat();
    return { content: createReadStream('', { fd: handle }), bytes: size };
  }

  return {
    async put(key, content) {
      const target = pathOf(key);
      const upload = path.join(uploads, randomUUID());
      try {
        await writeDurably(upload, content);
        await moveInto(target, upload);
      } finally {
        await rm(upload, { force: true });
      }
    },
    get: async (key) => (await read(key)).content,
    async delete(key) {
      await rm(pathOf(key), { force: true });
      await pruneFolders(dir, path.dirname(key));
    },
    async signedUrl(key, expiresSeconds, { saveAs = path.basename(key) } = {}) {
      await stat(pathOf(key)).catch(orNotFound);
      const expires = Math.floor(clock.now().getTime() / 1000) + expiresSeconds;
      return publicUrl + writeFileLink({ key, expires, saveAs }, signingKey);
    },
    list: (folder) => listFolder(dir, folder === '' ? '' : checkKey(folder)),
    async follow(link) {
      if (!isValidLink(link, signingKey, clock.now())) throw fileErrors.linkInvalid();
      return read(link.key);
    },
  };
}

async function writeDurably(file: string, content: Readable): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await writeFile(handle, content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Tries twice: a deletion may remove the folder, found empty, just before the file arrives. */
async function moveInto(target: string, upload: string): Promise<void> {
  const move = async () => {
    await mkdir(path.dirname(target), { recursive: true, mode: 0o700 });
    await rename(upload, target);
  };
  await move().catch((error: unknown) => (isMissing(error) ? move() : Promise.reject(error)));
}

/** Removes folders that have become empty, so that the names in them go with the files. */
async function pruneFolders(dir: string, folder: string): Promise<void> {
  for (let at = folder; at !== '.'; at = path.dirname(at)) {
    const removed = await rmdir(path.join(dir, at)).then(
      () => true,
      () => false,
    );
    if (!removed) return;
  }
}

async function listFolder(dir: string, folder: string): Promise<StoredFile[]> {
  const entries = await readdir(path.join(dir, folder), { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => (isMissing(error) ? [] : Promise.reject(error)),
  );
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(dir, path.join(entry.parentPath, entry.name)))
    .filter((key) => !key.startsWith(UPLOADS));
  const found = await Promise.all(files.toSorted().map((key) => describeFile(dir, key)));
  return found.filter((file) => file !== undefined);
}

/** @returns `undefined` where the file was removed meanwhile */
async function describeFile(dir: string, key: string): Promise<StoredFile | undefined> {
  const found = await stat(path.join(dir, key)).catch(() => undefined);
  return found && { key, bytes: found.size, modifiedAt: found.mtime };
}

async function removeAbandoned(uploads: string, at: Date): Promise<void> {
  for (const { key, modifiedAt } of await listFolder(uploads, '')) {
    if (at.getTime() - modifiedAt.getTime() > ABANDONED_AFTER_MS) {
      await rm(path.join(uploads, key), { force: true });
    }
  }
}

function orNotFound(error: unknown): never {
  throw isMissing(error) ? fileErrors.notFound() : error;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
