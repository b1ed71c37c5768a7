import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { createClient } from '@supabase/supabase-js';
import { fileErrors } from './files.errors.ts';
import { checkKey, type Files, type StoredFile } from './files.ts';
import { NoSocket } from './no-socket.ts';

export interface SupabaseFilesOptions {
  /** Of the project, such as `https://<ref>.supabase.co`. */
  url: string;
  /** A secret key (`sb_secret_…`, or the older service_role token): it passes the bucket's policies. */
  secretKey: string;
  /** Name of a private bucket that exists. */
  bucket: string;
}

type Bucket = ReturnType<ReturnType<typeof createClient>['storage']['from']>;

const PAGE = 100;

/** Files in a bucket of Supabase Storage, whose own signed links serve them. */
export function createSupabaseFiles({ url, secretKey, bucket: name }: SupabaseFilesOptions): Files {
  const client = createClient(url, secretKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    realtime: { transport: NoSocket },
  });
  const bucket = client.storage.from(name);
  return {
    async put(key, content, { type = 'application/octet-stream' } = {}) {
      let broken: Error | undefined;
      content.on('error', (error) => {
        broken ??= error;
      });
      const { error } = await bucket.upload(checkKey(key), content, { contentType: type, upsert: true });
      if (error === null) return;
      const cause = broken ?? problemOf(error);
      content.destroy();
      throw cause;
    },
    async get(key) {
      const { data, error } = await bucket.download(checkKey(key)).asStream();
      if (error) throw problemOf(error);
      return Readable.fromWeb(data as ReadableStream);
    },
    async delete(key) {
      const { error } = await bucket.remove([checkKey(key)]);
      if (error && !isNotFound(error)) throw problemOf(error);
    },
    async signedUrl(key, expiresSeconds, { saveAs } = {}) {
      const { data, error } = await bucket.createSignedUrl(checkKey(key), expiresSeconds, {
        download: saveAs ?? true,
      });
      if (error) throw problemOf(error);
      return data.signedUrl;
    },
    list: async (folder) => {
      const found = await listFolder(bucket, folder === '' ? '' : checkKey(folder));
      return found.toSorted((a, b) => (a.key < b.key ? -1 : 1));
    },
  };
}

/** Storage lists one level at a time; entries without an id are folders. */
async function listFolder(bucket: Bucket, folder: string): Promise<StoredFile[]> {
  const found: StoredFile[] = [];
  for (let offset = 0; ; offset += PAGE) {
    const { data, error } = await bucket.list(folder, { limit: PAGE, offset });
    if (error) throw problemOf(error);
    for (const entry of data) {
      const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.id === null) found.push(...(await listFolder(bucket, key)));
      else found.push({ key, bytes: sizeOf(entry.metadata), modifiedAt: new Date(entry.updated_at ?? 0) });
    }
    if (data.length < PAGE) return found;
  }
}

function sizeOf(metadata: Readonly<Record<string, unknown>> | null): number {
  return Number(metadata?.['size'] ?? 0);
}

/** What supabase-js says of a failed call. */
interface StorageFailure extends Error {
  statusCode?: string | undefined;
  status?: number | undefined;
}

/** Older servers answer 400 to what is missing and say 404 in the body. */
function isNotFound({ status, statusCode }: StorageFailure): boolean {
  return status === 404 || statusCode === '404';
}

/** A refusal (wrong key, no such bucket) is a wrong setting, which callers can do nothing about either. */
function problemOf(error: StorageFailure): Error {
  return isNotFound(error) ? fileErrors.notFound({ cause: error }) : fileErrors.unavailable({ cause: error });
}
