import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

interface StoredObject {
  body: Buffer;
  type: string;
  at: Date;
}

/** What Supabase Storage's REST API does with one bucket, refusing wrong keys and buckets. */
export async function startSupabaseStorage(options: { bucket: string; key: string }) {
  const objects = new Map<string, StoredObject>();
  const tokens = new Map<string, { name: string; until: number }>();
  const root = '/storage/v1';
  let down = false;

  const server = createServer((request, response) => {
    if (down) json(response, 503, { message: 'upstream is down' });
    else answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://localhost');
    const [, verb, rest = ''] =
      /^\/object\/(?:(sign|list)\/)?(.*)$/.exec(url.pathname.slice(root.length)) ?? [];
    const [bucket, ...path] = rest.split('/');
    const name = path.join('/');
    if (request.method === 'GET' && verb === 'sign') return serveSigned(url, name, response);
    if (request.headers['apikey'] !== options.key) return problem(response, '403', 'Invalid key');
    if (bucket !== options.bucket) return problem(response, '404', 'Bucket not found');
    const body = await buffer(request);
    if (verb === 'sign') return sign(name, JSON.parse(body.toString()), response);
    if (verb === 'list') return list(JSON.parse(body.toString()), response);
    if (request.method === 'POST') return upload(request, name, body, response);
    if (request.method === 'DELETE') return remove(JSON.parse(body.toString()), response);
    download(name, response);
  }

  function download(name: string, response: ServerResponse): void {
    const found = objects.get(name);
    if (found === undefined) return problem(response, '404', 'Object not found');
    response.writeHead(200, { 'content-type': found.type }).end(found.body);
  }

  function upload(request: IncomingMessage, name: string, body: Buffer, response: ServerResponse): void {
    const type = request.headers['content-type'] ?? '';
    if (objects.has(name) && request.headers['x-upsert'] !== 'true') {
      return problem(response, '409', 'The resource already exists');
    }
    objects.set(name, { body, type, at: new Date() });
    json(response, 200, { Id: name, Key: `${options.bucket}/${name}` });
  }

  function remove({ prefixes }: { prefixes: string[] }, response: ServerResponse): void {
    const removed = prefixes.filter((name) => objects.delete(name));
    json(
      response,
      200,
      removed.map((name) => ({ name })),
    );
  }

  function sign(name: string, { expiresIn }: { expiresIn: number }, response: ServerResponse): void {
    if (!objects.has(name)) return problem(response, '404', 'Object not found');
    const token = `token-${tokens.size}`;
    tokens.set(token, { name, until: Date.now() + expiresIn * 1000 });
    json(response, 200, { signedURL: `/object/sign/${options.bucket}/${name}?token=${token}` });
  }

  function serveSigned(url: URL, name: string, response: ServerResponse): void {
    const token = tokens.get(url.searchParams.get('token') ?? '');
    const found = objects.get(name);
    if (token?.name !== name || token.until <= Date.now() || found === undefined) {
      return problem(response, '400', 'InvalidJWT');
    }
    const saveAs = url.searchParams.get('download');
    response.writeHead(200, { 'content-disposition': `attachment; filename="${saveAs}"` }).end(found.body);
  }

  function list(
    { prefix, limit, offset }: { prefix: string; limit: number; offset: number },
    response: ServerResponse,
  ): void {
    const start = prefix === '' ? '' : `${prefix}/`;
    const below = [...objects]
      .filter(([name]) => name.startsWith(start))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const entries = new Map(
      below.map(([name, object]) => {
        const [entry = '', ...deeper] = name.slice(start.length).split('/');
        const file = { name: entry, id: name, updated_at: object.at, metadata: { size: object.body.length } };
        return [
          entry,
          deeper.length > 0 ? { name: entry, id: null, updated_at: null, metadata: null } : file,
        ];
      }),
    );
    json(response, 200, [...entries.values()].slice(offset, offset + limit));
  }

  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    objects,
    setDown: (isDown: boolean) => {
      down = isDown;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Older servers answer 400 and say the status in the body. */
function problem(response: ServerResponse, statusCode: string, message: string): void {
  json(response, 400, { statusCode, error: 'error', message });
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
