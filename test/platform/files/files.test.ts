import { randomBytes } from 'node:crypto';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isValidLink, writeFileLink } from '../../../src/platform/files/file-link.ts';
import { checkKey } from '../../../src/platform/files/files.ts';
import { openLocalFiles } from '../../../src/platform/files/local-files.ts';
import { createSupabaseFiles } from '../../../src/platform/files/supabase-files.ts';
import { openStorages } from './open-storages.ts';

let storages: Awaited<ReturnType<typeof openStorages>>;
beforeAll(async () => {
  storages = await openStorages();
});
afterAll(() => storages.close());

describe.each(['local', 'supabase'] as const)('files in %s storage', (kind) => {
  const files = () => storages.both[kind];

  it('come back as they were stored, whatever their size', async () => {
    const content = randomBytes(3_000_000);
    const chunks = Array.from({ length: 30 }, (_, i) => content.subarray(i * 100_000, (i + 1) * 100_000));
    await files().put('big/one.bin', Readable.from(chunks));
    expect((await buffer(await files().get('big/one.bin'))).equals(content)).toBe(true);
  });

  it('are replaced by a second put', async () => {
    await files().put('twice.txt', Readable.from(['first']));
    await files().put('twice.txt', Readable.from(['second']));
    expect(await text(await files().get('twice.txt'))).toBe('second');
  });

  it('are not there after a put whose source failed, and its error is thrown', async () => {
    const source = Readable.from(
      (async function* () {
        yield 'half';
        throw new Error('the source broke');
      })(),
    );
    await expect(files().put('broken.txt', source)).rejects.toThrow('the source broke');
    await expect(files().get('broken.txt')).rejects.toMatchObject({ code: 'file.not_found' });
  });

  it('are listed by folder, also the deep ones, and by page', async () => {
    const many = Array.from({ length: 130 }, (_, i) => `list/many/${String(i).padStart(3, '0')}`);
    for (const key of [...many, 'list/a.txt', 'list/b/c.txt', 'listed.txt']) {
      await files().put(key, Readable.from(['12345']));
    }
    const found = await files().list('list');
    expect(found.map(({ key }) => key)).toEqual(['list/a.txt', 'list/b/c.txt', ...many]);
    expect(found[0]?.bytes).toBe(5);
    expect(Math.abs(Date.now() - (found[0]?.modifiedAt.getTime() ?? 0))).toBeLessThan(60_000);
    expect((await files().list('')).length).toBeGreaterThan(found.length);
    expect(await files().list('nothing/here')).toEqual([]);
  });

  it('are gone once deleted, which may be done twice', async () => {
    await files().put('gone/soon.txt', Readable.from(['x']));
    await files().delete('gone/soon.txt');
    await files().delete('gone/soon.txt');
    await expect(files().get('gone/soon.txt')).rejects.toMatchObject({ code: 'file.not_found' });
    expect(await files().list('gone')).toEqual([]);
  });

  it('can be fetched with a signed link and nothing else, as a download', async () => {
    await files().put('exports/archive.zip', Readable.from(['zipped']));
    const answer = await fetch(await files().signedUrl('exports/archive.zip', 60, { saveAs: 'my data.zip' }));
    expect(await answer.text()).toBe('zipped');
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="my data.zip"/);
    await expect(files().signedUrl('exports/none.zip', 60)).rejects.toMatchObject({ code: 'file.not_found' });
  });
});

describe('local links', () => {
  it('end with their time', async () => {
    await storages.local.put('timed.txt', Readable.from(['x']));
    const url = await storages.local.signedUrl('timed.txt', 60);
    expect((await fetch(url)).status).toBe(200);
    const before = storages.held.now;
    storages.held.now = new Date(before.getTime() + 61_000);
    const late = await fetch(url);
    storages.held.now = before;
    expect(late.status).toBe(403);
    expect(await late.json()).toMatchObject({ code: 'file.link_invalid' });
  });

  it('cannot be turned into links to other files, names or times', async () => {
    await storages.local.put('mine.txt', Readable.from(['x']));
    await storages.local.put('other.txt', Readable.from(['y']));
    const url = await storages.local.signedUrl('mine.txt', 60);
    const forged = [
      url.replace('mine', 'other'),
      url.replace(/expires=\d+/, 'expires=9999999999'),
      url.replace('save_as=mine.txt', 'save_as=evil.exe'),
      url.replace(/signature=.*/, 'signature=AAAA'),
      url.replace(/\?.*/, ''),
      url.replace('mine.txt', '..%2f..%2fetc%2fpasswd'),
    ];
    for (const wrong of forged) expect((await fetch(wrong)).status, wrong).toBe(403);
  });

  it('are valid exactly when nothing was changed and the time is not over', () => {
    const word = fc.stringMatching(/^[a-z0-9./=-]{1,20}$/);
    const links = fc.record({ key: word, expires: fc.integer({ min: 1, max: 4e9 }), saveAs: fc.string() });
    fc.assert(
      fc.property(links, links, fc.integer({ min: 0, max: 5e9 }), (link, other, seconds) => {
        const signingKey = Buffer.alloc(32, 7);
        const query = new URL(writeFileLink(link, signingKey), 'http://x').searchParams;
        const signature = query.get('signature') ?? '';
        const at = new Date(seconds * 1000);
        expect(isValidLink({ ...link, signature }, signingKey, at)).toBe(seconds < link.expires);
        const same = JSON.stringify(link) === JSON.stringify(other);
        expect(isValidLink({ ...other, signature }, signingKey, new Date(0))).toBe(same);
      }),
    );
  });
});

describe('a directory as storage', () => {
  it('forgets folders with their last file, and uploads that a killed process left', async () => {
    await storages.local.put('exports/acc_1/a.zip', Readable.from(['x']));
    await storages.local.delete('exports/acc_1/a.zip');
    expect(await readdir(path.join(storages.dir, 'exports')).catch(() => [])).not.toContain('acc_1');

    const abandoned = path.join(storages.dir, '.uploads', 'left');
    await writeFile(abandoned, 'half');
    await utimes(abandoned, new Date(0), new Date(0));
    await openLocalFiles(storages.localOptions);
    expect(await readdir(path.join(storages.dir, '.uploads'))).toEqual([]);
  });
});

describe('keys', () => {
  it('are plain paths', () => {
    for (const key of ['a', 'exports/acc_01h/2026-11-21.zip', 'A.b=c']) expect(checkKey(key)).toBe(key);
    const wrong = [
      '',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/../b',
      '.uploads/x',
      'a/.b',
      'a b',
      'a\\b',
      'é',
      'a%2fb',
    ];
    for (const key of [...wrong, 'a'.repeat(513)]) expect(() => checkKey(key), key).toThrow('not a key');
  });
});

describe('Supabase storage', () => {
  it('is called unavailable when it fails, refuses the key or lacks the bucket', async () => {
    const { url } = storages.storage;
    const unavailable = { code: 'file.storage_unavailable' };
    const wrongKey = createSupabaseFiles({ url, secretKey: 'wrong', bucket: 'pingr' });
    await expect(wrongKey.put('a', Readable.from(['x']))).rejects.toMatchObject(unavailable);
    const nowhere = createSupabaseFiles({ url: 'http://127.0.0.1:9', secretKey: 'x', bucket: 'pingr' });
    await expect(nowhere.put('a', Readable.from(['x']))).rejects.toMatchObject(unavailable);
    await expect(nowhere.list('')).rejects.toMatchObject(unavailable);
    storages.storage.setDown(true);
    await expect(storages.supabase.get('twice.txt')).rejects.toMatchObject(unavailable);
    storages.storage.setDown(false);
  });
});
