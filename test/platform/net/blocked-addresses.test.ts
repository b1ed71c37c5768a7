import { describe, expect, it } from 'vitest';
import type { ResolveHost } from '../../../src/platform/net/resolve-host.ts';
import { AUTHORITY } from './certificates.ts';
import { httpServer, httpsServer } from './local-servers.ts';
import { LIVE, LOOPBACK, openOutbound, reasonOf, TEST } from './open-outbound.ts';

/** Answers with each list in turn, the last one for ever. */
function resolver(...answers: string[][]): ResolveHost & { asked: string[] } {
  const asked: string[] = [];
  const resolve = async (host: string) => {
    asked.push(host);
    const addresses = answers[Math.min(asked.length, answers.length) - 1] ?? [];
    return addresses.map((address) => ({
      address,
      family: address.includes(':') ? (6 as const) : (4 as const),
    }));
  };
  return Object.assign(resolve, { asked });
}

const ok = () => httpServer((_request, response) => response.end('ok'));

/** Every way to write 127.0.0.1 and its like that a URL parser takes. */
const LITERALS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '0x7f.0.0x0.1',
  '127.0.0.1.',
  '１２７.0.0.1',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[::]',
  '0.0.0.0',
  '0',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'anything.localhost',
];
const INSIDE = [
  '10.0.0.5',
  '192.168.0.1',
  '172.16.3.4',
  '100.64.0.1',
  '169.254.169.254',
  '2852039166',
  '[fd00:ec2::254]',
  '[fe80::1]',
  '[::ffff:169.254.169.254]',
  '168.63.129.16',
  'metadata.google.internal',
  'metadata.goog',
  'vault.internal',
  'printer.local',
];

describe('a host that is not public', () => {
  it.each([...LITERALS, ...INSIDE])('is refused as %s, and no connection made', async (host) => {
    const server = await ok();
    const http = openOutbound({ resolve: resolver(['127.0.0.1']) });
    expect(await http.outcome(`http://${host}:${server.port}/`, { policy: TEST })).toBe('blocked_address');
    expect(await http.outcome(`https://${host}:${server.port}/`, { policy: LIVE })).toBe('blocked_address');
    await expect(http.check(`http://${host}:${server.port}/`, TEST).catch(reasonOf)).resolves.toBe(
      'blocked_address',
    );
    expect(server.connections()).toBe(0);
  });

  it.each([...INSIDE, '0.0.0.0', '[64:ff9b::127.0.0.1]'])(
    'is refused as %s also where loopback is allowed',
    async (host) => {
      expect(await openOutbound().outcome(`http://${host}/`)).toBe('blocked_address');
    },
  );

  it.each([
    ['private', ['10.0.0.1']],
    ['loopback', ['127.0.0.1']],
    ['mapped', ['::ffff:10.0.0.1']],
    ['NAT64', ['64:ff9b::a00:1']],
    ['one among public ones', ['93.184.216.34', '2606:4700::1', '10.0.0.1']],
  ])('is refused when its name has an address that is %s', async (_kind, addresses) => {
    const http = openOutbound({ resolve: resolver(addresses) });
    expect(await http.outcome('http://hooks.example.com/', { policy: TEST })).toBe('blocked_address');
    await expect(http.check('http://hooks.example.com/', TEST).catch(reasonOf)).resolves.toBe(
      'blocked_address',
    );
  });
});

describe('a name that changes its address (DNS rebinding)', () => {
  it('is refused at the connection, though it was public when it was checked', async () => {
    const server = await ok();
    const resolve = resolver(['93.184.216.34'], ['127.0.0.1']);
    const http = openOutbound({ resolve });
    const url = `http://rebind.example.com:${server.port}/`;
    await http.check(url, TEST);
    expect(await http.outcome(url, { policy: TEST })).toBe('blocked_address');
    expect(resolve.asked).toEqual(['rebind.example.com', 'rebind.example.com']);
    expect(server.connections()).toBe(0);
  });

  it('gets one question for each connection, whose answer is the address connected to', async () => {
    const server = await ok();
    const resolve = resolver(['127.0.0.1'], ['10.0.0.1']);
    const http = openOutbound({ resolve });
    const url = `http://hooks.example.com:${server.port}/`;
    expect([await http.outcome(url), await http.outcome(url)]).toEqual([200, 200]);
    expect([resolve.asked.length, server.connections()]).toEqual([1, 1]);
  });
});

describe('this machine', () => {
  it('is reached where the policy allows it', async () => {
    const server = await ok();
    const http = openOutbound();
    await http.check(server.url, LOOPBACK);
    expect(await http.outcome(server.url)).toBe(200);
    expect(await http.outcome(`http://localhost:${server.port}`)).toBe(200);
    expect(await http.outcome(`http://[::ffff:127.0.0.1]:${server.port}`)).toBe(200);
  });

  it('is not reached over a connection that another policy opened', async () => {
    const server = await ok();
    const http = openOutbound({ resolve: resolver(['127.0.0.1']) });
    const url = `http://hooks.example.com:${server.port}/`;
    expect(await http.outcome(url)).toBe(200);
    expect(await http.outcome(url, { policy: TEST })).toBe('blocked_address');
    expect(await http.outcome(url)).toBe(200);
    expect(server.connections()).toBe(1);
  });
});

describe('a URL', () => {
  it.each([
    ['nothing', 'invalid_url'],
    ['', 'invalid_url'],
    ['ftp://example.com/', 'invalid_url'],
    ['file:///etc/passwd', 'invalid_url'],
    ['javascript:alert(1)', 'invalid_url'],
    ['https://user@example.com/', 'invalid_url'],
    ['https://user:secret@example.com/', 'invalid_url'],
    ['https://:secret@example.com/', 'invalid_url'],
    ['https://', 'invalid_url'],
    ['https://exa mple.com/', 'invalid_url'],
    ['https://./', 'invalid_url'],
    ['http://example.com/', 'https_required'],
  ])('%s is refused: %s', async (url, reason) => {
    const http = openOutbound({ resolve: resolver(['93.184.216.34']) });
    await expect(http.check(url, LIVE).catch(reasonOf)).resolves.toBe(reason);
    expect(await http.outcome(url, { policy: LIVE })).toBe(reason);
  });

  it('passes when public, also when its name does not resolve yet', async () => {
    await openOutbound({ resolve: resolver(['93.184.216.34']) }).check('https://hooks.example.com/x?y', LIVE);
    const unknown = openOutbound({ resolve: resolver([]) });
    await unknown.check('https://hooks.example.com/', LIVE);
    expect(await unknown.outcome('https://hooks.example.com/', { policy: LIVE })).toBe('dns');
    await openOutbound({ resolve: resolver() }).check('https://93.184.216.34/', LIVE);
  });

  it('is shown in no error', async () => {
    const error = await openOutbound()
      .send('http://user:hunter2@example.com/token')
      .catch((e: unknown) => e);
    expect(String(error)).not.toMatch(/hunter2|token|example/);
  });
});

describe('TLS', () => {
  it('is made for the name, at the address that was checked', async () => {
    const server = await httpsServer((_request, response) => response.end('ok'));
    const http = openOutbound({ resolve: resolver(['127.0.0.1']), ca: AUTHORITY });
    expect(await http.outcome(`https://hooks.example.com:${server.port}/`)).toBe(200);
    expect(await http.outcome(`https://other.example.com:${server.port}/`)).toBe('tls');
  });
});
