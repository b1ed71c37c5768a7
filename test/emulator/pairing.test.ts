import { describe, expect, it } from 'vitest';
import { EmulatorFixture } from './support/fixture.ts';
import { until } from './support/until.ts';

const fixture = new EmulatorFixture();

async function scanning(phone: string, qr: string) {
  return fixture
    .control()
    .call('POST', `/v1/realms/acc_test/phones/${encodeURIComponent(phone)}/scan`, { qr });
}

describe('linking by QR', () => {
  it('answers with the device, which logs in again without a scan', async () => {
    const control = fixture.control();
    const { client, phone, device } = await fixture.linked();
    expect(client.auth.creds.me).toMatchObject({ id: `${phone.slice(1)}:${device}@s.whatsapp.net` });
    await client.close();
    await until(async () => !(await control.phone(phone)).devices[0]?.online, 'the phone to see it gone');
    await client.open();
    expect((await control.phone(phone)).devices).toMatchObject([{ device, online: true }]);
  });

  it('links several devices to one phone', async () => {
    const control = fixture.control();
    const { phone, device } = await fixture.linked();
    const second = await fixture.linked(control, phone);
    expect(second.device).not.toBe(device);
    expect((await control.phone(phone)).devices).toHaveLength(2);
  });

  it('refuses a code that is unknown, forged, or used', async () => {
    const { phone } = await fixture.control().createPhone();
    const client = fixture.client().connect();
    const qr = await until(() => client.qr, 'a QR code');
    const [ref, noise, , ...rest] = qr.slice(qr.indexOf('#') + 1).split(',');
    expect((await scanning(phone, qr.replace('2@', '2@x'))).status).toBe(409);
    expect((await scanning(phone, 'https://example.com')).status).toBe(422);
    expect((await scanning(phone, `${[ref, noise, noise, ...rest].join(',')}`)).status).toBe(422);
    const [first, second] = await Promise.all([scanning(phone, qr), scanning(phone, qr)]);
    expect(new Set([first.status, second.status])).toEqual(new Set([200, 409]));
    expect(await client.closed()).toBe(515);
    expect((await scanning(phone, qr)).status).toBe(409);
  });

  it('takes the bare code as well as its address', async () => {
    const { phone } = await fixture.control().createPhone();
    const client = fixture.client();
    await client.link((qr) => fixture.control().scan(phone, qr.slice(qr.indexOf('#') + 1)));
    expect((await fixture.control().phone(phone)).devices).toHaveLength(1);
  });

  it('is refused by a phone that is offline', async () => {
    const { phone } = await fixture.control().createPhone();
    await fixture.control().change(phone, { online: false });
    const client = fixture.client().connect();
    expect((await scanning(phone, await until(() => client.qr, 'a QR code'))).status).toBe(409);
  });
});

describe('linking by pairing code', () => {
  it('links the client that shows the code', async () => {
    const control = fixture.control();
    const { phone } = await control.createPhone();
    const client = fixture.client().connect();
    await until(() => client.qr, 'a QR code');
    const code = await client.socket.requestPairingCode(phone.slice(1));
    const { device } = await control.enterCode(phone, code);
    expect(await client.closed()).toBe(515);
    await client.open();
    expect((await control.phone(phone)).devices).toMatchObject([{ device, online: true }]);
  });

  it('tells a wrong code, and takes the right one after it', async () => {
    const control = fixture.control();
    const { phone } = await control.createPhone();
    const client = fixture.client().connect();
    await until(() => client.qr, 'a QR code');
    const code = await client.socket.requestPairingCode(phone.slice(1));
    const path = `/v1/realms/acc_test/phones/${phone}/pairing-code`;
    const wrong = await control.call('POST', path, { code: 'AAAAAAAA' });
    expect(wrong).toMatchObject({ status: 422, body: { code: 'emulator.wrong_pairing_code' } });
    await control.enterCode(phone, code);
    expect(await client.closed()).toBe(515);
  });

  it('knows when nobody asked', async () => {
    const control = fixture.control();
    const { phone } = await control.createPhone();
    const reply = await control.call('POST', `/v1/realms/acc_test/phones/${phone}/pairing-code`, {
      code: 'AAAAAAAA',
    });
    expect(reply.status).toBe(404);
  });

  it('finds the right one of two realms with equal numbers', async () => {
    const [one, two] = [fixture.control('code one'), fixture.control('code two')];
    const number = '+919833333333';
    const [first, second] = [fixture.client().connect(), fixture.client().connect()];
    await until(() => first.qr && second.qr, 'QR codes');
    const firstCode = await first.socket.requestPairingCode(number.slice(1));
    await second.socket.requestPairingCode(number.slice(1));
    await one.enterCode(number, firstCode);
    expect(await first.closed()).toBe(515);
    expect(second.closedWith).toBeUndefined();
    expect((await two.call('GET', `/v1/realms/code%20two/phones/${number}`)).status).toBe(404);
  });

  it('refuses a login before the pairing is finished', async () => {
    const { phone } = await fixture.control().createPhone();
    const client = fixture.client().connect();
    await until(() => client.qr, 'a QR code');
    await client.socket.requestPairingCode(phone.slice(1));
    await client.close();
    client.connect();
    await until(() => client.closedWith === 401, 'the refusal');
  });
});
