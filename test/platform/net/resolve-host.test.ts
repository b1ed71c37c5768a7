import { lookup } from 'node:dns/promises';
import { describe, expect, it } from 'vitest';
import { createHostResolver } from '../../../src/platform/net/resolve-host.ts';
import { type Answer, dnsServer } from './dns-server.ts';
import { httpServer } from './local-servers.ts';
import { LOOPBACK, openOutbound, reasonOf, TEST } from './open-outbound.ts';

const both = (v4: Answer, v6: Answer) => (_name: string, type: string) => (type === 'A' ? v4 : v6);

describe('a name', () => {
  it('has the addresses of both families', async () => {
    const { servers } = await dnsServer(both(['192.0.2.1', '192.0.2.2'], ['2001:db8::1']));
    expect(await createHostResolver({ servers })('hooks.example.com')).toEqual([
      { address: '192.0.2.1', family: 4 },
      { address: '192.0.2.2', family: 4 },
      { address: '2001:db8::1', family: 6 },
    ]);
  });

  it.each<[string, Answer]>([
    ['has none', []],
    ['fails', 'SERVFAIL'],
  ])('has those of one family where the other %s', async (_what, other) => {
    const v4 = await dnsServer(both(['192.0.2.1'], other));
    expect(await createHostResolver(v4)('hooks.example.com')).toEqual([{ address: '192.0.2.1', family: 4 }]);
    const v6 = await dnsServer(both(other, ['2001:db8::1']));
    expect(await createHostResolver(v6)('hooks.example.com')).toEqual([
      { address: '2001:db8::1', family: 6 },
    ]);
  });

  it.each<Answer>(['NXDOMAIN', 'SERVFAIL', []])('without any is an error: %s', async (answer) => {
    const { servers } = await dnsServer(() => answer);
    expect(await createHostResolver({ servers })('hooks.example.com').catch(reasonOf)).toBe('dns');
  });

  it('is asked for once in a while, however many ask', async () => {
    const { servers, questions } = await dnsServer(both(['192.0.2.1'], []));
    const resolve = createHostResolver({ servers });
    await Promise.all([1, 2, 3].map(() => resolve('hooks.example.com')));
    await resolve('hooks.example.com');
    // A resolver that waits too long for the answer repeats its question.
    expect([...new Set(questions)].toSorted()).toEqual(['A hooks.example.com', 'AAAA hooks.example.com']);
  });

  it('is asked for again after an error', async () => {
    let answer: Answer = 'SERVFAIL';
    const { servers } = await dnsServer(() => answer);
    const resolve = createHostResolver({ servers });
    expect(await resolve('hooks.example.com').catch(reasonOf)).toBe('dns');
    answer = ['192.0.2.1'];
    expect(await resolve('hooks.example.com')).toContainEqual({ address: '192.0.2.1', family: 4 });
  });

  it.each(['localhost', 'app.localhost', 'localhost.'])(
    '%s is this machine, and nobody asked',
    async (name) => {
      const { servers, questions } = await dnsServer(() => ['192.0.2.1']);
      expect(await createHostResolver({ servers })(name)).toEqual([
        { address: '127.0.0.1', family: 4 },
        { address: '::1', family: 6 },
      ]);
      expect(questions).toEqual([]);
    },
  );
});

describe('requests by name', () => {
  it('reach the server that DNS names, unless it is inside', async () => {
    const server = await httpServer((_request, response) => response.end());
    const { servers } = await dnsServer(both(['127.0.0.1'], []));
    const http = openOutbound({ resolve: createHostResolver({ servers }) });
    const url = `http://hooks.example.com:${server.port}/`;
    expect(await http.outcome(url, { policy: LOOPBACK })).toBe(200);
    expect(await http.outcome(url, { policy: TEST })).toBe('blocked_address');
  });

  it('whose name servers never answer stop nobody else, not even those who use the thread pool', async () => {
    const { servers } = await dnsServer(() => 'silence');
    const http = openOutbound({ resolve: createHostResolver({ servers }) });
    const leave = new AbortController();
    const hanging = Array.from({ length: 20 }, (_, i) => {
      return http.outcome(`http://silent${i}.example.com/`, { signal: leave.signal });
    });
    expect(await Promise.race([lookup('localhost').then(() => 'first'), ...hanging])).toBe('first');
    leave.abort();
    expect(new Set(await Promise.all(hanging))).toEqual(new Set(['aborted']));
  });
});
