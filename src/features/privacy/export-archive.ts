import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, pipeline, Readable, Transform } from 'node:stream';
import { ZipFile } from 'yazl';
import { toId } from '../../lib/ids.ts';

/** One entry of an archive before its manifest. */
export interface ArchivePart {
  /** Path inside the archive. */
  path: string;
  /** Opened when its turn comes. `rows` is asked once the stream has ended; null for what has no rows. */
  open: () => Promise<{ content: Readable; rows: () => number | null }>;
}

/** Says what the archive holds, so that its reader can tell that it is whole. */
interface Manifest {
  format: 'pingr-account-export/1';
  account: string;
  created_at: string;
  entries: { path: string; rows: number | null; bytes: number; sha256: string }[];
}

/**
 * A zip archive, made as it is read: one part after the other, then `manifest.json` with size, SHA-256 and number of rows
 * of each. The stream fails where a part does.
 * @param onPart called after each part
 */
export function zipArchive(archive: {
  accountId: string;
  at: Date;
  parts: readonly ArchivePart[];
  onPart: (entry: Manifest['entries'][number]) => void;
}): Readable {
  const { accountId, at, parts, onPart } = archive;
  const zip = new ZipFile();
  const output = new PassThrough();
  let current: Readable | undefined;
  // Nobody reads any more: what is being read for it is let go too.
  output.once('close', () => current?.destroy());
  zip.on('error', (error: Error) => output.destroy(error));
  zip.outputStream.on('error', (error: Error) => output.destroy(error));
  const manifest: Manifest = {
    format: 'pingr-account-export/1',
    account: toId('account', accountId),
    created_at: at.toISOString(),
    entries: [],
  };
  for (const part of parts) {
    zip.addReadStreamLazy(part.path, { mtime: at }, (give) => {
      const onEnd = (entry: Manifest['entries'][number]) => {
        manifest.entries.push(entry);
        onPart(entry);
      };
      openMeasured(part, onEnd, (error) => output.destroy(error)).then(
        (content) => {
          current = content;
          give(null, content);
        },
        (error: unknown) => output.destroy(error instanceof Error ? error : new Error('a part did not open')),
      );
    });
  }
  zip.addReadStreamLazy('manifest.json', { mtime: at }, (give) => {
    give(null, Readable.from([`${JSON.stringify(manifest, null, 2)}\n`]));
  });
  zip.end();
  return zip.outputStream.pipe(output);
}

async function openMeasured(
  part: ArchivePart,
  onEnd: (entry: Manifest['entries'][number]) => void,
  onError: (error: Error) => void,
): Promise<Readable> {
  const { content, rows } = await part.open();
  const hash = createHash('sha256');
  let bytes = 0;
  const measured = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
    flush(done) {
      onEnd({ path: part.path, rows: rows(), bytes, sha256: hash.digest('hex') });
      done();
    },
  });
  // It may fail before anybody listens to it.
  return pipeline(content, measured, (error) => error && onError(error));
}

/** A stream of what `write` writes; it fails where `write` throws, and `write` is told when nobody reads any more. */
export function writtenBy(write: (put: (text: string) => Promise<void>) => Promise<void>): Readable {
  const stream = new PassThrough();
  const left = new AbortController();
  stream.once('close', () => left.abort(new Error('nobody reads any more')));
  const put = async (text: string) => {
    left.signal.throwIfAborted();
    if (!stream.write(text)) await once(stream, 'drain', { signal: left.signal });
  };
  write(put).then(
    () => stream.end(),
    (error: unknown) => stream.destroy(error instanceof Error ? error : new Error('writing failed')),
  );
  return stream;
}
