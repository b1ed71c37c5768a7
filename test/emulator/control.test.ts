import { parsePhoneNumberWithError } from 'libphonenumber-js/max';
import { describe, expect, it } from 'vitest';
import { EmulatorFixture } from './support/fixture.ts';

const fixture = new EmulatorFixture();
const PHONES = '/v1/realms/acc_test/phones';

describe('the control API', () => {
  it('wants its token, except for the health check', async () => {
    const { controlUrl } = fixture.emulator;
    expect((await fetch(`${controlUrl}/healthz`)).status).toBe(200);
    for (const authorization of ['', 'Bearer wrong', 'secret']) {
      const reply = await fetch(`${controlUrl}/v1/stats`, { headers: { authorization } });
      expect(reply.status).toBe(401);
    }
  });

  it('tells what clients must trust', async () => {
    const { wsUrl, rootPublicKey } = fixture.emulator;
    const root_key = Buffer.from(rootPublicKey).toString('hex');
    expect((await fixture.control().call('GET', '/v1/trust')).body).toEqual({ ws_url: wsUrl, root_key });
  });

  it('makes phones: the number given, or a fresh one that could exist', async () => {
    const control = fixture.control();
    const fresh = await control.createPhone();
    expect(parsePhoneNumberWithError(fresh.phone).isValid()).toBe(true);
    expect(fresh).toMatchObject({ online: true, devices: [], behavior: { deliver: 'now', read: null } });
    const given = await control.createPhone({ phone: '+49 151 2345678', name: 'Berta' });
    expect(given).toMatchObject({ phone: '+491512345678', name: 'Berta' });
    expect(given.lid).toMatch(/^1\d{14}$/);
    expect((await control.call('POST', PHONES, { phone: '491512345678' })).status).toBe(409);
    const list = await control.call<{ data: unknown[] }>('GET', PHONES);
    expect(list.body.data).toContainEqual(given);
  });

  it('takes a number with or without +', async () => {
    const control = fixture.control();
    const { phone } = await control.createPhone();
    expect(await control.phone(phone.slice(1))).toEqual(await control.phone(phone));
  });

  it.each([
    { method: 'POST', path: PHONES, body: { phone: '+00' }, status: 422, pointer: '/phone' },
    { method: 'POST', path: PHONES, body: { phone: 5 }, status: 422, pointer: '/phone' },
    {
      method: 'PATCH',
      path: `${PHONES}/919800000007`,
      body: { behavior: { deliver: 'soon' } },
      status: 422,
      pointer: '/behavior/deliver',
    },
    { method: 'PATCH', path: `${PHONES}/919800000007`, body: { colour: 'red' }, status: 422, pointer: '/' },
    { method: 'PATCH', path: `${PHONES}/919800000007`, body: { cut_device: 9 }, status: 404 },
    {
      method: 'POST',
      path: `${PHONES}/919800000007/messages`,
      body: { to: '+1', text: { body: 'x' } },
      status: 422,
      pointer: '/to',
    },
    {
      method: 'POST',
      path: `${PHONES}/919800000007/messages`,
      body: { to: '+919800000008', text: { body: '' } },
      status: 422,
      pointer: '/text/body',
    },
    {
      method: 'POST',
      path: `${PHONES}/919800000007/pairing-code`,
      body: { code: 'short' },
      status: 422,
      pointer: '/code',
    },
    { method: 'GET', path: `${PHONES}/12/messages`, status: 422, pointer: '{phone}' },
    { method: 'GET', path: `${PHONES}/919800000007/messages?limit=0`, status: 422, pointer: '/limit' },
    { method: 'GET', path: `${PHONES}/919899999999`, status: 404 },
    { method: 'DELETE', path: `${PHONES}/919800000007/devices/1`, status: 404 },
    { method: 'POST', path: '/v1/faults', body: { kind: 'earthquake' }, status: 422, pointer: '/kind' },
    { method: 'GET', path: '/v1/nothing', status: 404 },
  ])('answers $method $path $body with $status', async ({ method, path, body, status, pointer }) => {
    const reply = await fixture.control().call(method, path, body);
    expect(reply.status).toBe(status);
    expect(reply.body).toMatchObject({
      code: expect.stringMatching(/^emulator\./),
      ...(pointer && { pointer }),
    });
  });

  it('tells broken JSON from a wrong field', async () => {
    const { controlUrl, controlToken } = fixture.emulator;
    const headers = { authorization: `Bearer ${controlToken}` };
    const reply = await fetch(`${controlUrl}${PHONES}`, { method: 'POST', headers, body: '{' });
    expect(reply.status).toBe(400);
  });

  it('pages through messages, from a cursor or an id', async () => {
    const control = fixture.control();
    const { phone } = await control.createPhone();
    const { phone: other } = await control.createPhone();
    const { ids } = await control.write(other, phone, 'again', { count: 5 });
    type Page = { data: { id: string }[]; has_more: boolean; next_cursor: string };
    const page = async (query: string) =>
      (await control.call<Page>('GET', `${PHONES}/${phone}/messages?${query}`)).body;
    const first = await page('limit=2');
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const second = await page(`limit=2&after=${first.next_cursor}`);
    expect(second.data.map(({ id }) => id)).toEqual(ids.slice(2, 4));
    expect(second.has_more).toBe(true);
    const last = await page(`after=${ids[3]}`);
    expect(last).toMatchObject({ data: [{ id: ids[4] }], has_more: false });
  });

  it('lets only phones that are online do something', async () => {
    const control = fixture.control();
    const { phone } = await control.createPhone();
    await control.change(phone, { online: false });
    const write = { to: '+919800000001', text: { body: 'x' } };
    expect((await control.call('POST', `${PHONES}/${phone}/messages`, write)).status).toBe(409);
    expect((await control.call('POST', `${PHONES}/${phone}/read`, {})).status).toBe(409);
  });
});
