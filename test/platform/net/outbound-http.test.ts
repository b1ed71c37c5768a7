import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { PATIENCE_MS } from '../../support/patience.ts';
import { AUTHORITY, EXPIRED } from './certificates.ts';
import { bodyOf, httpServer, httpsServer, rawServer, sends } from './local-servers.ts';
import { openOutbound, reasonOf } from './open-outbound.ts';

const head = (headers = '') => `HTTP/1.1 200 OK\r\n${headers}\r\n`;

describe('a request', () => {
  it('arrives as it was given, and brings back the answer', async () => {
    const seen: unknown[] = [];
    const server = await httpServer((request, response) => {
      const { method, url, headers } = request;
      seen.push(method, url, headers['x-custom'], headers.host);
      void bodyOf(request).then((body) => {
        seen.push(body);
        response.writeHead(202, { 'X-Thing': 'a', 'set-cookie': ['b=1', 'c=2'] }).end('{"ok":true}');
      });
    });
    const answer = await openOutbound().send(`${server.url}/a/b?c=d&e#f`, {
      headers: { 'x-custom': 'yes' },
      body: '{"text":"नमस्ते"}',
    });
    expect(seen).toEqual(['POST', '/a/b?c=d&e', 'yes', `127.0.0.1:${server.port}`, '{"text":"नमस्ते"}']);
    expect(answer).toMatchObject({ status: 202, truncated: false });
    expect(answer.headers).toMatchObject({ 'x-thing': 'a', 'set-cookie': 'b=1, c=2' });
    expect(Buffer.from(answer.body).toString()).toBe('{"ok":true}');
  });

  it.each([200, 204, 301, 302, 307, 308, 400, 410, 429, 500, 503])(
    'answered with %i is answered',
    async (status) => {
      const server = await httpServer((_request, response) => response.writeHead(status).end());
      expect(await openOutbound().outcome(server.url)).toBe(status);
    },
  );

  it('follows no redirect', async () => {
    const target = await httpServer((_request, response) => response.end());
    const server = await httpServer((_request, response) => {
      response.writeHead(307, { location: `${target.url}/secret` }).end();
    });
    const answer = await openOutbound().send(server.url);
    expect([answer.status, answer.headers['location']]).toEqual([307, `${target.url}/secret`]);
    expect(target.connections()).toBe(0);
  });

  it('waits for the answer after interim ones', async () => {
    const server = await sends(
      `HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${head('content-length: 2\r\n')}ok`,
    );
    expect(await openOutbound().send(server.url)).toMatchObject({
      status: 200,
      headers: { 'content-length': '2' },
    });
  });

  it('shares its connection with the next one, and with no other at the same time', async () => {
    const server = await httpServer((_request, response) => setTimeout(() => response.end('ok'), 5));
    const http = openOutbound();
    for (let i = 0; i < 5; i++) await http.send(server.url);
    expect(server.connections()).toBe(1);
    await Promise.all([1, 2, 3].map(() => http.send(server.url)));
    expect(server.connections()).toBe(3);
  });

  it('waits where its origin has very many connections', async () => {
    const waiting: (() => void)[] = [];
    let all = false;
    const server = await httpServer((_request, response) => {
      waiting.push(() => response.end());
      all ||= waiting.length === 256;
      if (all) for (const answer of waiting.splice(0)) answer();
    });
    const http = openOutbound();
    const sent = Array.from({ length: 300 }, () => http.outcome(server.url, { timeoutMs: 60_000 }));
    expect(new Set(await Promise.all(sent))).toEqual(new Set([200]));
    expect(server.connections()).toBe(256);
  });

  it('waits for no other that hangs', async () => {
    const server = await httpServer((request, response) => {
      if (request.url === '/fast') response.end();
    });
    const http = openOutbound();
    const leave = new AbortController();
    const hanging = http.outcome(`${server.url}/hang`, { timeoutMs: PATIENCE_MS, signal: leave.signal });
    expect(await Promise.race([http.send(`${server.url}/fast`), hanging])).toMatchObject({ status: 200 });
    leave.abort();
    expect(await hanging).toBe('aborted');
  });
});

describe('the body of an answer', () => {
  it('is cut where it is longer than asked for, and its connection used again', async () => {
    const server = await httpServer((_request, response) => response.end('x'.repeat(10_000)));
    const http = openOutbound();
    const answer = await http.send(server.url, { maxResponseBytes: 100 });
    expect([answer.body.length, answer.truncated]).toEqual([100, true]);
    await sleep(20);
    const whole = await http.send(server.url, { maxResponseBytes: 10_000 });
    expect([whole.body.length, whole.truncated, server.connections()]).toEqual([10_000, false, 1]);
  });

  it('without end costs its connection, not our time', async () => {
    let sent = 0;
    const server = await rawServer((socket) => {
      const block = Buffer.alloc(65_536, 'x');
      const pour = () => {
        while (!socket.destroyed && socket.write(block)) sent += block.length;
      };
      socket.once('data', () => socket.write(head()) && pour()).on('drain', pour);
    });
    const answer = await openOutbound().send(server.url);
    expect([answer.status, answer.body.length, answer.truncated]).toEqual([200, 4_096, true]);
    await expect.poll(server.open).toBe(0);
    // What fits into the buffers of both sides.
    expect(sent).toBeLessThan(8_000_000);
  });

  it('that is cut is an answer soon, even where the rest never comes, and its connection ends before', async () => {
    let most = 0;
    const server = await rawServer((socket) => {
      most = Math.max(most, server.open());
      socket.once('data', () => socket.write(`${head('content-length: 500000\r\n')}${'x'.repeat(5_000)}`));
    });
    const http = openOutbound();
    for (let i = 0; i < 10; i++) {
      const answer = await http.send(server.url, { timeoutMs: 600_000 });
      expect([answer.status, answer.body.length, answer.truncated]).toEqual([200, 4_096, true]);
    }
    await expect.poll(server.open).toBe(0);
    // The other side may hear of the end of one after it has heard of the next.
    expect(most).toBeLessThanOrEqual(2);
  });

  it('that is cut is an answer also where the connection breaks, or the request is given up', async () => {
    const bytes = `${head('content-length: 500000\r\n')}${'x'.repeat(5_000)}`;
    const breaks = await rawServer((socket) => {
      socket.once('data', () => socket.write(bytes, () => socket.end()));
    });
    const http = openOutbound();
    expect(await http.send(breaks.url)).toMatchObject({ status: 200, truncated: true });
    const giveUp = new AbortController();
    const holds = await rawServer((socket) => {
      socket.once('data', () => socket.write(bytes, () => setTimeout(() => giveUp.abort(), 20)));
    });
    expect(await http.send(holds.url, { signal: giveUp.signal })).toMatchObject({ status: 200 });
  });
});

describe('an answer that takes too long', () => {
  it.each([
    ['never begins', ''],
    ['begins its headers', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['begins its body', `${head('content-length: 10\r\n')}begin`],
  ])('is a timeout when it %s, and frees the connection', async (_what, bytes) => {
    const server = await sends(bytes);
    const http = openOutbound();
    expect(await http.outcome(server.url, { timeoutMs: 150 })).toBe('timeout');
    await expect.poll(server.open).toBe(0);
  });

  it('is a timeout when it drips', async () => {
    const server = await rawServer((socket) => {
      socket.once('data', () => socket.write(head()));
      const drip = setInterval(() => socket.write('.'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    const http = openOutbound();
    expect(await http.outcome(server.url, { timeoutMs: 200 })).toBe('timeout');
    await expect.poll(server.open).toBe(0);
  });

  it('is a timeout while TLS is being made', async () => {
    const server = await rawServer(() => undefined);
    expect(await openOutbound().outcome(`https://127.0.0.1:${server.port}`, { timeoutMs: 150 })).toBe(
      'timeout',
    );
  });

  it('is a timeout while DNS is being asked', async () => {
    const http = openOutbound({ resolve: () => new Promise(() => undefined) });
    expect(await http.outcome('http://hooks.example.com/', { timeoutMs: 150 })).toBe('timeout');
  });

  it('does not leave later as a request of its own', async () => {
    const server = await httpServer((_request, response) => response.end());
    let answer: (addresses: { address: string; family: 4 }[]) => void = () => undefined;
    const http = openOutbound({ resolve: () => new Promise((resolve) => (answer = resolve)) });
    const late = vi.fn();
    const slow = await httpServer(late);
    expect(await http.outcome(`http://hooks.example.com:${slow.port}/`, { timeoutMs: 50 })).toBe('timeout');
    answer([{ address: '127.0.0.1', family: 4 }]);
    await http.send(server.url);
    await expect.poll(slow.connections).toBe(1);
    await sleep(50);
    expect(late).not.toHaveBeenCalled();
  });
});

describe('a connection that fails', () => {
  it.each([
    ['before the answer', ''],
    ['in the headers', 'HTTP/1.1 200 OK\r\ncont'],
    ['in the body', `${head('content-length: 100\r\n')}begin`],
    ['in a chunk', `${head('transfer-encoding: chunked\r\n')}5\r\nbegin\r\n`],
  ])('is a reset when it ends %s', async (_where, bytes) => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const server = await rawServer((socket) => {
        socket.once('data', () => socket.write(bytes || '\r\n', () => socket[end]()));
      });
      expect(await openOutbound().outcome(server.url)).toBe('reset');
    }
  });

  it('is a reset when the other side switches to another protocol', async () => {
    const server = await sends(
      'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n',
    );
    expect(await openOutbound().outcome(server.url)).toBe('reset');
  });

  it('is no connection where nobody listens', async () => {
    expect(await openOutbound().outcome('http://127.0.0.1:1/')).toBe('connect');
    expect(await openOutbound().outcome('http://localhost:1/')).toBe('connect');
  });

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n', 'invalid_response'],
    ['headers without end', head(`x: ${'y'.repeat(20_000)}\r\n`), 'too_large'],
    ['two lengths', head('content-length: 1\r\ncontent-length: 2\r\n'), 'invalid_response'],
  ])('by an answer of %s', async (_what, bytes, reason) => {
    const server = await sends(bytes);
    expect(await openOutbound().outcome(server.url)).toBe(reason);
  });
});

describe('TLS that cannot be trusted', () => {
  const resolve = async () => [{ address: '127.0.0.1', family: 4 as const }];
  const answered = vi.fn();
  afterEach(() => expect(answered).not.toHaveBeenCalled());

  it('is refused for a certificate of an unknown authority, whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const server = await httpsServer(answered);
    expect(await openOutbound({ resolve }).outcome(`https://hooks.example.com:${server.port}`)).toBe('tls');
    vi.unstubAllEnvs();
  });

  it('is refused for an expired certificate', async () => {
    const server = await httpsServer(answered, EXPIRED);
    const http = openOutbound({ resolve, ca: AUTHORITY });
    expect(await http.outcome(`https://hooks.example.com:${server.port}`)).toBe('tls');
  });

  it('is refused for the certificate of another name, or of none', async () => {
    const server = await httpsServer(answered);
    const http = openOutbound({ resolve, ca: AUTHORITY });
    expect(await http.outcome(`https://evil.example.com:${server.port}`)).toBe('tls');
    expect(await http.outcome(`https://127.0.0.1:${server.port}`)).toBe('tls');
  });

  it('is refused where the other side speaks plain HTTP', async () => {
    const server = await httpServer(answered);
    expect(await openOutbound().outcome(`https://127.0.0.1:${server.port}`)).toBe('tls');
  });
});

describe('giving up', () => {
  it('ends a request under way, and one that has not begun', async () => {
    const server = await sends('');
    const http = openOutbound();
    const giveUp = new AbortController();
    const outcome = http.outcome(server.url, { signal: giveUp.signal });
    await expect.poll(server.open).toBe(1);
    giveUp.abort();
    expect(await outcome).toBe('aborted');
    await expect.poll(server.open).toBe(0);
    expect(await http.outcome(server.url, { signal: AbortSignal.abort() })).toBe('aborted');
  });

  it('ends everything when the door closes', async () => {
    const server = await sends('');
    const http = openOutbound();
    const outcome = http.outcome(server.url);
    await expect.poll(server.open).toBe(1);
    await http.close();
    expect(await outcome).toBe('aborted');
    await expect.poll(server.open).toBe(0);
    expect(await http.outcome(server.url)).toBe('aborted');
  });
});

describe('what cannot be sent', () => {
  it.each([
    { 'x bad': 'a' },
    { 'x-bad': 'a\r\nx-injected: b' },
    { 'transfer-encoding': 'chunked' },
    { 'content-length': '3' },
  ])('is refused: %o', async (headers) => {
    const server = await sends(head('content-length: 0\r\n'));
    expect(await openOutbound().outcome(server.url, { headers })).toBe('invalid_request');
  });

  it('goes past proxies that the environment names', async () => {
    const proxy = await httpServer((_request, response) => response.end());
    const server = await httpServer((_request, response) => response.writeHead(204).end());
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY']) vi.stubEnv(name, proxy.url);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    expect(await openOutbound().outcome(server.url)).toBe(204);
    expect(proxy.connections()).toBe(0);
    vi.unstubAllEnvs();
  });

  it('is told in no error message', async () => {
    const error = await openOutbound()
      .send('http://127.0.0.1:1/path?token=hunter2', { headers: { authorization: 'hunter3' } })
      .catch((thrown: unknown) => thrown);
    expect(reasonOf(error)).toBe('connect');
    expect(String(error)).not.toMatch(/hunter|path/);
  });
});
