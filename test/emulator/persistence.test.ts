import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BinaryNode, getBinaryNodeChild } from '@whiskeysockets/baileys';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RunningEmulator, startEmulator } from '../../src/emulator/start.ts';
import { Control } from './support/control.ts';
import { jidOf } from './support/fixture.ts';
import { RawBaileys } from './support/raw-baileys.ts';
import { until } from './support/until.ts';

let stateDir: string;
let running: RunningEmulator;
let port = 0;

async function start(): Promise<Control> {
  running = await startEmulator({ host: '127.0.0.1', port, controlPort: 0, controlToken: 't', stateDir });
  port = Number(new URL(running.wsUrl).port);
  return new Control(running);
}

async function restart(): Promise<Control> {
  await running.close();
  return start();
}

beforeEach(async () => {
  port = 0;
  stateDir = await mkdtemp(path.join(tmpdir(), 'pingr-emulator-'));
});
afterEach(async () => {
  await running.close();
  await rm(stateDir, { recursive: true });
});

describe('an emulator with a state directory', () => {
  it('finds everything as it was', async () => {
    let control = await start();
    const root = running.rootPublicKey;
    const { phone } = await control.createPhone({ name: 'Session' });
    const { phone: other } = await control.createPhone();
    await control.change(other, { behavior: { deliver: { after_ms: 1 } } });
    const client = await new RawBaileys(running).link((qr) => control.scan(phone, qr));
    await client.socket.sendMessage(jidOf(other), { text: 'before' });
    await until(async () => (await control.messages(other)).length === 1, 'the message');
    await control.write(other, phone, 'answer');
    await until(() => client.texts.length === 1, 'the answer');
    await client.close();
    const before = {
      ...(await control.phone(phone)),
      devices: [{ ...(await control.phone(phone)).devices[0], online: false }],
    };
    control = await restart();
    expect(Buffer.from(running.rootPublicKey)).toEqual(Buffer.from(root));
    expect(await control.phone(phone)).toEqual(before);
    expect(await control.phone(other)).toMatchObject({ behavior: { deliver: { after_ms: 1 } } });
    await client.open();
    const types: unknown[] = [];
    client.socket.ws.on('CB:message', (node: BinaryNode) =>
      types.push(getBinaryNodeChild(node, 'enc')?.attrs['type']),
    );
    await control.write(other, phone, 'in the session of before');
    await until(() => client.texts.length === 2, 'the message in the old session');
    expect(types).toEqual(['msg']);
    await client.socket.sendMessage(jidOf(other), { text: 'after' });
    const after = async () => (await control.messages(other)).find(({ text }) => text === 'after');
    expect(await until(after, 'the message after')).toMatchObject({ from: phone });
    expect((await control.stats())['undecryptable']).toBe(0);
    await client.close();
  });

  it('keeps what waits, for companions and for phones that are offline', async () => {
    let control = await start();
    const { phone } = await control.createPhone();
    const { phone: other } = await control.createPhone();
    const client = await new RawBaileys(running).link((qr) => control.scan(phone, qr));
    await control.change(other, { online: false });
    await client.socket.sendMessage(jidOf(other), { text: 'for an offline phone' });
    await until(() => client.acks.length === 1, 'the ack');
    await client.close();
    await until(async () => !(await control.phone(phone)).devices[0]?.online, 'offline');
    const { phone: third } = await control.createPhone();
    for (const text of ['a', 'b']) await control.write(third, phone, text);
    control = await restart();
    await client.open();
    await until(() => client.texts.length === 2, 'what waited');
    expect(client.texts).toEqual(['a', 'b']);
    await control.change(other, { online: true });
    await until(async () => (await control.messages(other)).length === 1, 'the message');
    await until(() => client.receipts.length > 0, 'its receipt');
    await client.close();
  });

  it('does not bring an erased realm back', async () => {
    let control = await start();
    const { phone } = await control.createPhone();
    await control.write(phone, '+919800000009', 'gone soon');
    expect((await control.call('DELETE', `/v1/realms/${control.realm}`)).status).toBe(204);
    control = await restart();
    expect((await control.stats())['phones']).toBe(0);
  });

  it('uses the root key it is given', async () => {
    await start();
    const rootPrivateKey = new Uint8Array(32).fill(7);
    await running.close();
    running = await startEmulator({
      host: '127.0.0.1',
      port: 0,
      controlPort: 0,
      controlToken: 't',
      stateDir,
      rootPrivateKey,
    });
    const given = Buffer.from(running.rootPublicKey).toString('hex');
    await restart();
    expect(Buffer.from(running.rootPublicKey).toString('hex')).toBe(given);
  });
});
