import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { newUuid } from '../../../src/lib/ids.ts';
import { mailServer, oddServer, refusal } from '../../platform/mail/smtp-servers.ts';
import { seedAccount } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { aTry, type Mails, openMails } from './open-mail.ts';

let mails: Mails;
let accountId: string;
beforeAll(async () => {
  mails = await openMails();
  accountId = await seedAccount(mails.db);
});
afterEach(() => mails.clear());
afterAll(() => mails.close());

const URL = 'https://pingr.example/sign-in?token=abc';
const forAccount = (to = 'user@example.com') =>
  ({ accountId, to, template: 'magic_link', values: { url: URL, minutesValid: 15 } }) as const;
const forNobody = { ...forAccount(), accountId: null };

const append = (mail: ReturnType<typeof forAccount> = forAccount(), service = mails.service()) =>
  mails.db.database.account({ accountId }, (tx) => service.send(tx, mail));
const statuses = async () => (await mails.rows()).map(({ status }) => status);
const onlyId = async (): Promise<string> => (await mails.rows())[0].id;

describe('a mail', () => {
  it('leaves after the commit, once, and what it said is forgotten', async () => {
    const server = await mailServer();
    await mails.work(mails.handler(server.url));
    const service = mails.service();
    await append(forAccount(), service);
    service.wake();
    service.wake();
    await eventually(statuses, ([status]) => status === 'sent');
    expect(server.received).toMatchObject([{ to: ['user@example.com'] }]);
    expect(server.received[0]?.raw).toContain('https://pingr.example/sign-in?token=3Dabc');
    expect((await mails.rows())[0]).toMatchObject({ content: null, attempts: 1, last_error: null });
  });

  it('does not leave, nor stay, when its transaction is rolled back', async () => {
    const service = mails.service();
    const failing = mails.db.database.account({ accountId }, async (tx) => {
      await service.send(tx, forAccount());
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await service.sweep()).toBe(0);
    expect(await mails.rows()).toEqual([]);
  });

  it('can go to somebody without an account, from system scope alone', async () => {
    const server = await mailServer();
    const service = mails.service();
    const inAccount = mails.db.database.account({ accountId }, (tx) => service.send(tx, forNobody));
    await expect(inAccount).rejects.toMatchObject({ code: '42501' });
    await mails.db.database.system((tx) => service.send(tx, forNobody));
    await mails.handler(server.url)({ mail_id: await onlyId() }, aTry());
    expect(server.received).toHaveLength(1);
  });

  it('of another account cannot be written in account scope', async () => {
    const other = await seedAccount(mails.db);
    await expect(append({ ...forAccount(), accountId: other })).rejects.toMatchObject({ code: '42501' });
  });

  it('is sealed at rest: with an account under its key, else under the server’s', async () => {
    await append();
    await mails.db.database.system((tx) => mails.service().send(tx, forNobody));
    for (const { id, account_id, content } of await mails.rows()) {
      expect(content.toString('latin1')).not.toMatch(/token|example|user/);
      const other = account_id === null ? accountId : null;
      await expect(mails.cipher.open({ id, accountId: other }, content)).rejects.toThrow();
      expect(await mails.cipher.open({ id, accountId: account_id }, content)).toMatchObject({
        to: 'user@example.com',
      });
    }
  });

  it('goes with its account', async () => {
    const gone = await seedAccount(mails.db);
    await mails.db.database.account({ accountId: gone }, (tx) =>
      mails.service().send(tx, { ...forAccount(), accountId: gone }),
    );
    await mails.db.owner.query('delete from accounts where id = $1', [gone]);
    expect(await mails.rows()).toEqual([]);
  });
});

describe('a mail to the owners', () => {
  const owners = async (owned: string) =>
    (await mails.db.database.systemOnce((tx) => mails.service().owners(tx, owned))).map(({ email }) => email);
  const join = async (owned: string, role: string, email: string) => {
    const id = newUuid();
    await mails.db.owner.query('insert into users (id, email) values ($1, $2)', [id, email]);
    await mails.db.owner.query('insert into members (account_id, user_id, role) values ($1, $2, $3)', [
      owned,
      id,
      role,
    ]);
    return id;
  };
  const setAddress = (owned: string, email: string) =>
    mails.db.owner.query('update accounts set email = $2 where id = $1', [owned, email]);
  const account = async () => {
    const id = await seedAccount(mails.db);
    await mails.db.owner.query('update quotas set member_limit = null where account_id = $1', [id]);
    return id;
  };

  it('goes to each of them, and to the address of the account where that is another', async () => {
    const owned = await account();
    await join(owned, 'owner', 'ada@example.com');
    await join(owned, 'owner', 'bob@example.com');
    await join(owned, 'admin', 'eve@example.com');
    await setAddress(owned, 'Ada@example.com');
    expect(await owners(owned)).toEqual(['ada@example.com', 'bob@example.com']);
    await setAddress(owned, 'money@example.com');
    const service = mails.service(false);
    await mails.db.database.account({ accountId: owned }, (tx) =>
      service.sendToOwners(tx, { ...forNobody, accountId: owned }),
    );
    const written = (await mails.mailbox()).map(({ to }) => to);
    expect(written.toSorted()).toEqual(['ada@example.com', 'bob@example.com', 'money@example.com']);
  });

  it('goes to the address alone where there are none, and to nobody where there is none either', async () => {
    const owned = await account();
    expect(await owners(owned)).toEqual([]);
    await setAddress(owned, 'money@example.com');
    expect(await owners(owned)).toEqual(['money@example.com']);
  });

  it.each([
    ['leaves', 'delete from members where user_id = $1'],
    ['becomes something else', `update members set role = 'viewer' where user_id = $1`],
  ])('does not go to an owner who %s, though their address is that of the account', async (_, end) => {
    const owned = await account();
    const [first, second] = [`${newUuid()}@example.com`, `${newUuid()}@example.com`];
    const id = await join(owned, 'owner', first);
    await join(owned, 'owner', second);
    await setAddress(owned, first);
    await mails.db.owner.query(end, [id]);
    expect(await owners(owned)).toEqual([second]);
  });
});

describe('a mail server that fails', () => {
  it('is asked again', async () => {
    let tries = 0;
    const server = await mailServer({
      onRcptTo: (_to, _session, callback) => callback(tries++ === 0 ? refusal(451) : null),
    });
    await append();
    const id = await onlyId();
    const send = mails.handler(server.url);
    await expect(send({ mail_id: id }, aTry())).rejects.toThrow('refused_451');
    expect((await mails.rows())[0]).toMatchObject({
      status: 'queued',
      last_error: 'refused_451',
      attempts: 1,
    });
    await send({ mail_id: id }, aTry({ attempt: 2 }));
    expect((await mails.rows())[0]).toMatchObject({ status: 'sent', last_error: null, attempts: 2 });
    await send({ mail_id: id }, aTry({ attempt: 3 }));
    expect(server.received).toHaveLength(1);
  });

  it('fails the mail with the last try, and a refusal fails it at once', async () => {
    const hanging = await oddServer(() => undefined);
    const refusing = await mailServer({ onRcptTo: (_to, _session, callback) => callback(refusal(550)) });
    await append();
    const last = aTry({ attempt: 10, lastAttempt: true });
    await expect(mails.handler(hanging, 200)({ mail_id: await onlyId() }, last)).rejects.toThrow('timeout');
    expect((await mails.rows())[0]).toMatchObject({ status: 'failed', last_error: 'timeout' });
    await mails.clear();
    await append();
    await mails.handler(refusing.url)({ mail_id: await onlyId() }, aTry());
    expect((await mails.rows())[0]).toMatchObject({
      status: 'failed',
      last_error: 'refused_550',
      attempts: 1,
    });
  });

  it('fails no mail because the process closes', async () => {
    const hanging = await oddServer(() => undefined);
    await append();
    const closing = new AbortController();
    const last = aTry({ lastAttempt: true, signal: closing.signal });
    const sending = mails.handler(hanging)({ mail_id: await onlyId() }, last);
    setTimeout(() => closing.abort(), 50);
    await expect(sending).rejects.toThrow();
    expect(await statuses()).toEqual(['queued']);
  });
});

describe('the sweep', () => {
  it('finds what no wake-up reached, however much it is', async () => {
    const server = await mailServer();
    const service = mails.service();
    await mails.db.database.account({ accountId }, async (tx) => {
      for (let i = 0; i < 25; i++) await service.send(tx, forAccount(`user${i}@example.com`));
    });
    expect(await service.sweep()).toBe(25);
    expect(await service.sweep()).toBe(0);
    await mails.work(mails.handler(server.url));
    await eventually(statuses, (all) => all.every((status) => status === 'sent'));
    expect(new Set(server.received.map(({ to }) => to[0])).size).toBe(25);
    expect(server.received).toHaveLength(25);
  });

  it('leaves alone what is being tried, and hands over again what was lost hours ago', async () => {
    await append();
    const service = mails.service();
    const handed = async (ago: string) => {
      await mails.db.owner.query(`update mails set attempts = 1, handed_at = now() - $1::interval`, [ago]);
      return service.sweep();
    };
    expect(await handed('2 hours')).toBe(0);
    expect(await handed('4 hours')).toBe(1);
  });

  it('loses nothing while the queue is away', async () => {
    const away = { queue: () => ({ add: fail, addBulk: fail }) };
    const service = mails.service(true, away);
    await append(forAccount(), service);
    service.wake();
    await expect(service.sweep()).rejects.toThrow('queue is away');
    expect(await mails.service().sweep()).toBe(1);
  });
});

describe('without a mail server', () => {
  it('mails are kept, and never sent', async () => {
    const service = mails.service(false);
    await append(forAccount(), service);
    service.wake();
    expect(await statuses()).toEqual(['kept']);
    expect(await mails.service().sweep()).toBe(0);
    const server = await mailServer();
    await mails.handler(server.url)({ mail_id: await onlyId() }, aTry());
    expect(server.received).toEqual([]);
    expect(await mails.mailbox()).toMatchObject([
      { to: 'user@example.com', status: 'kept', template: 'magic_link' },
    ]);
  });
});

async function fail(): Promise<void> {
  throw new Error('the queue is away');
}
