import path from 'node:path';
import { systemClock } from '../lib/system-clock.ts';
import { deriveKey } from '../platform/crypto/derived-key.ts';
import type { Files } from '../platform/files/files.ts';
import { openLocalFiles } from '../platform/files/local-files.ts';
import type { AppOptions } from '../platform/http/app.ts';
import { serveFiles } from '../platform/http/serve-files.ts';
import type { ApiConfig, WorkerConfig } from './config.ts';

/** Where files are kept, and what the API serves of them itself. */
export interface OpenFiles {
  files: Files;
  pages: NonNullable<AppOptions['pages']>;
}

/** Supabase Storage where the configuration has a project and its key, otherwise a directory. */
export async function openFiles(config: ApiConfig | WorkerConfig): Promise<OpenFiles> {
  const { supabaseUrl: url, supabaseSecretKey: secretKey, supabaseBucket: bucket } = config;
  if (url !== undefined && secretKey !== undefined) {
    // A large library: only who uses it loads it.
    const { createSupabaseFiles } = await import('../platform/files/supabase-files.ts');
    return { files: createSupabaseFiles({ url, secretKey, bucket }), pages: [] };
  }
  const files = await openLocalFiles({
    dir: path.resolve(config.filesDir ?? path.join(config.dataDir, 'files')),
    publicUrl: publicUrlOf(config),
    signingKey: deriveKey(config.masterKey, 'pingr signed links to files'),
    clock: systemClock,
  });
  return { files, pages: [(app) => serveFiles(app, files)] };
}

/** Where the API is reached from outside, without a slash at the end. */
export function publicUrlOf({ publicUrl, port }: Pick<ApiConfig, 'publicUrl' | 'port'>): string {
  return publicUrl ?? `http://127.0.0.1:${port}`;
}
