import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import Fastify from 'fastify';
import type { Clock } from '../../../src/lib/clock.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import { freePort } from '../../../src/platform/embedded-postgres/free-port.ts';
import { openLocalFiles } from '../../../src/platform/files/local-files.ts';
import { createSupabaseFiles } from '../../../src/platform/files/supabase-files.ts';
import { handleErrors } from '../../../src/platform/http/send-problem.ts';
import { serveFiles } from '../../../src/platform/http/serve-files.ts';
import { silentLog } from '../../support/log.ts';
import { startSupabaseStorage } from '../../support/supabase-storage.ts';

/** A directory with its links served, and Supabase Storage with its own. */
export async function openStorages() {
  const dir = await mkdtemp(path.join(tmpdir(), 'pingr-files-'));
  const held = { now: new Date() };
  const clock: Clock = { ...systemClock, now: () => held.now };
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  const localOptions = { dir, publicUrl, signingKey: randomBytes(32), clock };
  const local = await openLocalFiles(localOptions);
  const app = Fastify();
  handleErrors(app, silentLog);
  serveFiles(app, local);
  await app.listen({ host: '127.0.0.1', port });

  const key = 'sb_secret_test';
  const storage = await startSupabaseStorage({ bucket: 'pingr', key });
  const supabase = createSupabaseFiles({ url: storage.url, secretKey: key, bucket: 'pingr' });
  return {
    dir,
    held,
    localOptions,
    local,
    storage,
    supabase,
    both: { local, supabase },
    async close() {
      await app.close();
      await storage.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}
