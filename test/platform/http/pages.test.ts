import { Readable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { serveFiles } from '../../../src/platform/http/serve-files.ts';
import { openStorages } from '../files/open-storages.ts';
import { type Edge, openEdge } from './open-edge.ts';

let storages: Awaited<ReturnType<typeof openStorages>>;
let edge: Edge;
beforeAll(async () => {
  storages = await openStorages();
  edge = await openEdge({ routes: [], pages: [(app) => serveFiles(app, storages.local)] });
});
afterAll(async () => {
  await edge.close();
  await storages.close();
});

it('a signed link is followed without a key, guarded and logged like every request, and no operation of the API', async () => {
  await storages.local.put('exports/a-b.zip', Readable.from(['zipped']));
  const { pathname, search } = new URL(await storages.local.signedUrl('exports/a-b.zip', 60));
  const answer = await fetch(`${edge.url}${pathname}${search}`);
  expect([answer.status, await answer.text()]).toEqual([200, 'zipped']);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('content-type')).toBe('application/octet-stream');
  const forged = await edge.call('GET', `${pathname}${search.replace('expires=', 'expires=9')}`);
  expect([forged.status, forged.json().code]).toEqual([403, 'file.link_invalid']);
  await expect
    .poll(() => edge.lines)
    .toContainEqual(expect.objectContaining({ msg: 'request', route: '/files/*', status: 200 }));
  expect(JSON.stringify(edge.lines)).not.toContain('signature=');
  const { paths } = (await edge.call('GET', '/openapi.json')).json<{ paths: object }>();
  expect(Object.keys(paths)).toEqual([]);
});
