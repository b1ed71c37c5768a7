import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newUuid } from '../../../src/lib/ids.ts';
import { claim, renew } from '../../../src/sessions-pool/leases.system.ts';
import { seedSession } from '../../support/database.ts';
import { openPrivacy, type Privacy } from './open-privacy.ts';

let privacy: Privacy;
beforeAll(async () => {
  privacy = await openPrivacy();
});
afterAll(() => privacy.close());

const close = (key: string, confirm = 'Acme') => privacy.call(key, 'DELETE', '/v1/account', { confirm });
const listKeys = async (key: string) => (await privacy.call(key, 'GET', '/v1/api-keys')).status;

/** The link in the mail about the deletion. */
async function restoreLink(accountId: string): Promise<string> {
  const [mail] = await privacy.mails(accountId);
  const [link = ''] = /\/account\/restore\?token=\S+/.exec(mail?.text ?? '') ?? [];
  return link;
}

describe('DELETE /v1/account', () => {
  it('asks for the name, and for a live key', async () => {
    const { live, test } = await privacy.account();
    const refusals = [
      await close(live, 'acme'),
      await close(test),
      await privacy.call(live, 'DELETE', '/v1/account'),
    ];
    expect(refusals.map((answer) => [answer.status, answer.json().code])).toEqual([
      [422, 'account.not_confirmed'],
      [403, 'account.live_key_needed'],
      [422, 'request.invalid'],
    ]);
    expect(await listKeys(live)).toBe(200);
  });

  it('closes at once: every key of the account, and no other, ends within two seconds', async () => {
    const [leaving, staying] = [await privacy.account(), await privacy.account()];
    expect(await listKeys(leaving.test)).toBe(200);
    const answer = await close(leaving.live);
    expect(answer.status).toBe(202);
    const { erase_at, requested_at } = answer.json<{ erase_at: string; requested_at: string }>();
    expect(Date.parse(erase_at) - Date.parse(requested_at)).toBe(7 * 86_400_000);
    await expect.poll(() => listKeys(leaving.test)).toBe(401);
    await expect.poll(() => listKeys(leaving.live)).toBe(401);
    expect(await listKeys(staying.live)).toBe(200);
  });

  it('ends also a key that was made while it was closing', async () => {
    const account = await privacy.account();
    await close(account.live);
    const late = await privacy.keys.issue(account.id, { name: 'late', mode: 'live', scopes: ['*'] });
    expect(await listKeys(late.text)).toBe(401);
  });

  it('takes the sessions from their workers, and lets none claim them', async () => {
    const { id, live } = await privacy.account();
    const session = await seedSession(privacy.db, id);
    const worker = { id: newUuid(), mode: 'test' as const };
    const { database } = privacy.db;
    const claimAll = () =>
      database.systemOnce((tx) =>
        claim(tx, { worker, limit: 50, ttlMs: 8_000, holding: [], takeExpired: true }),
      );
    const lease = (await claimAll()).find(({ sessionId }) => sessionId === session);
    expect(lease).toBeDefined();
    await close(live);
    const renewed = await database.systemOnce((tx) => renew(tx, worker.id, 8_000, lease ? [lease] : []));
    expect(renewed.size).toBe(0);
    expect((await claimAll()).map(({ sessionId }) => sessionId)).not.toContain(session);
    const { rows } = await privacy.db.owner.query('select status, status_code from sessions where id = $1', [
      session,
    ]);
    expect(rows[0]).toEqual({ status: 'disconnected', status_code: 'account.closed' });
  });

  it('happens once', async () => {
    const { id, live, test } = await privacy.account();
    await Promise.all([close(live), close(live), close(test)]);
    const { rowCount } = await privacy.db.owner.query('select from account_closures where account_id = $1', [
      id,
    ]);
    expect(rowCount).toBe(1);
    expect(await privacy.mails(id)).toHaveLength(1);
  });
});

describe('restoring', () => {
  it('is offered by mail: the page asks, its button restores, and works once', async () => {
    const { id, live } = await privacy.account();
    const session = await seedSession(privacy.db, id);
    await close(live);
    await expect.poll(() => listKeys(live)).toBe(401);
    const link = privacy.edge.url + (await restoreLink(id));
    const page = await fetch(link);
    expect([page.status, await page.text()]).toEqual([
      200,
      expect.stringContaining('<form method="post" action="">'),
    ]);
    expect(await listKeys(live)).toBe(401);

    const form = { method: 'POST', body: new URLSearchParams() };
    const pressed = await fetch(link, form);
    expect([pressed.status, await pressed.text()]).toEqual([
      200,
      expect.stringContaining('The account is back'),
    ]);
    await expect.poll(() => listKeys(live)).toBe(200);
    const { rows } = await privacy.db.owner.query(
      'select wanted, owner from session_leases where session_id = $1',
      [session],
    );
    expect(rows[0]).toEqual({ wanted: true, owner: null });
    expect((await fetch(link, form)).status).toBe(422);
  });

  it('leaves logged-out sessions and revoked keys as they were', async () => {
    const { id, live } = await privacy.account();
    const session = await seedSession(privacy.db, id, { status: 'logged_out', phone: null });
    await privacy.db.owner.query('update session_leases set wanted = false where session_id = $1', [session]);
    const revoked = await privacy.keys.issue(id, { name: 'old', mode: 'live', scopes: ['*'] });
    await privacy.db.owner.query('update api_keys set revoked_at = now() where id = $1', [revoked.row.id]);
    await close(live);
    const link = await restoreLink(id);
    const token = new URLSearchParams(link.split('?')[1]).get('token');
    const answer = await privacy.edge.call('POST', '/v1/account/restore', { token });
    expect([answer.status, answer.json()]).toEqual([200, { name: 'Acme' }]);
    await expect.poll(() => listKeys(live)).toBe(200);
    expect(await listKeys(revoked.text)).toBe(401);
    const { rows } = await privacy.db.owner.query('select wanted from session_leases where session_id = $1', [
      session,
    ]);
    expect(rows[0]).toEqual({ wanted: false });
  });

  it('ends after seven days', async () => {
    const { id, live } = await privacy.account();
    await close(live);
    const link = privacy.edge.url + (await restoreLink(id));
    privacy.clock.ahead += 7 * 86_400_000;
    expect((await fetch(link, { method: 'POST', body: new URLSearchParams() })).status).toBe(422);
    privacy.clock.ahead = 0;
  });

  it.each(['', 'clo_01h455vb4pex5vsknk084sn02q', 'clo_01h455vb4pex5vsknk084sn02q.AAAA', '.'])(
    'refuses the token %j',
    async (token) => {
      const answer = await privacy.edge.call('POST', '/v1/account/restore', { token });
      expect([answer.status, answer.json().code]).toEqual([422, 'account.restore_link_invalid']);
    },
  );
});
