import { pipeline, type Readable, Transform } from 'node:stream';
import type { Clock } from '../../lib/clock.ts';
import { toId } from '../../lib/ids.ts';
import type { AccountCipher, Vault } from '../../platform/crypto/vault.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Files } from '../../platform/files/files.ts';
import { type ArchivePart, writtenBy, zipArchive } from './export-archive.ts';
import { exportedColumns, LEFT_OUT, showExportedRow } from './export-tables.model.ts';
import * as system from './exports.system.ts';

export interface WriteExportParts {
  database: Database;
  vault: Vault;
  files: Files;
  /** Opens a message's sealed content. */
  openContent: (sealed: Uint8Array, messageId: string, cipher: AccountCipher) => unknown;
  /** How rows are shown whose ids the names of their columns do not tell, by table. */
  showRows: Readonly<Record<string, ShowRow>>;
  /** Folders that hold an account's files, exports apart. */
  foldersOf: (accountId: string) => readonly string[];
  clock: Clock;
}

/** A row with what only its own slice can open, or tell the kinds of ids of. */
export type ShowRow = (row: Record<string, unknown>, cipher: AccountCipher) => Record<string, unknown>;

/** Folder of an account's exports. */
export function exportsFolder(accountId: string): string {
  return `exports/${toId('account', accountId)}`;
}

/** Where the archive of an export is stored. @param accountId, exportId UUIDs */
export function exportKey(accountId: string, exportId: string): string {
  return `${exportsFolder(accountId)}/${toId('accountExport', exportId)}.zip`;
}

/**
 * Writes an account's archive: a file of JSON lines for every table with rows of it (but those of `LEFT_OUT`), without
 * secrets and with messages opened, and its files.
 * @returns the archive's size in bytes @throws what database and storage throw; nothing is stored then
 */
export async function writeExport(
  parts: WriteExportParts,
  { id, accountId }: { id: string; accountId: string },
): Promise<{ bytes: number }> {
  const { database, files } = parts;
  const cipher = await parts.vault.of(accountId);
  const tables = await database.systemOnce(system.listAccountTables);
  const archived = [
    ...tables
      .filter(({ name }) => !(name in LEFT_OUT))
      .map((table) => rowsPart(parts, table, accountId, cipher)),
    ...(await fileParts(parts, accountId)),
  ];
  const progress = { partsDone: 0, partsTotal: archived.length, rowsDone: 0 };
  let noted = Promise.resolve();
  const archive = zipArchive({
    accountId,
    at: parts.clock.now(),
    parts: archived,
    onPart: ({ rows }) => {
      progress.partsDone++;
      progress.rowsDone += rows ?? 0;
      const now = { ...progress };
      noted = noted
        .then(() => database.systemOnce((tx) => system.noteProgress(tx, id, now)))
        .catch(() => undefined);
    },
  });
  const counted = countBytes(archive);
  await files.put(exportKey(accountId, id), counted.content, { type: 'application/zip' });
  await noted;
  return { bytes: counted.bytes() };
}

function rowsPart(
  { database, openContent, showRows }: WriteExportParts,
  { name, columns }: system.ExportTable,
  accountId: string,
  cipher: AccountCipher,
): ArchivePart {
  const wanted = exportedColumns(name, columns);
  const opened = wanted.filter((column) => column.opened).map((column) => column.name);
  const show = showRows[name] ?? ((row) => row);
  return {
    path: `${name.replace(/^app\./, '')}.jsonl`,
    async open() {
      let count = 0;
      const table = { name, columns: wanted.map((column) => column.name) };
      const content = writtenBy((put) =>
        database.system(async (tx) => {
          for await (const rows of system.readRows(tx, table, accountId)) {
            count += rows.length;
            const lines = rows.map((row) => {
              const clear = openColumns(row, opened, (sealed) =>
                openContent(sealed, String(row['id']), cipher),
              );
              return `${JSON.stringify(showExportedRow(name, show(clear, cipher)))}\n`;
            });
            await put(lines.join(''));
          }
        }),
      );
      return { content, rows: () => count };
    },
  };
}

/** Bytes come out of `to_jsonb` as `\x…`. */
function openColumns(
  row: Record<string, unknown>,
  columns: readonly string[],
  open: (sealed: Buffer) => unknown,
): Record<string, unknown> {
  const opened = columns.map((column) => {
    const value = row[column];
    return [column, typeof value === 'string' ? open(Buffer.from(value.slice(2), 'hex')) : null];
  });
  return { ...row, ...Object.fromEntries(opened) };
}

async function fileParts({ files, foldersOf }: WriteExportParts, accountId: string): Promise<ArchivePart[]> {
  const stored = await Promise.all(foldersOf(accountId).map((folder) => files.list(folder)));
  return stored.flat().map(({ key }) => ({
    path: `files/${key}`,
    open: async () => ({ content: await files.get(key), rows: () => null }),
  }));
}

function countBytes(content: Readable): { content: Readable; bytes: () => number } {
  let bytes = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  return { content: pipeline(content, counted, () => undefined), bytes: () => bytes };
}
