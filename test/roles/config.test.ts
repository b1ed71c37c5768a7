import { describe, expect, it } from 'vitest';
import {
  loadAllConfig,
  loadApiConfig,
  loadEmulatorConfig,
  loadWorkerConfig,
  withoutSandbox,
} from '../../src/roles/config.ts';
import { configurationDocs, envExample } from '../../src/roles/config-docs.ts';
import { variables } from '../../src/roles/config-registry.ts';
import { settingsShape } from '../../src/roles/config-variables.ts';

const key = 'ab'.repeat(32);
const services = { DATABASE_URL: 'postgresql://app:pw@db/pingr', MASTER_KEY: key, API_KEY_PEPPER: key };
const worker = { ...services, WORKER_MODE: 'live' };
const sandbox = { SANDBOX_WS_URL: 'ws://127.0.0.1:3010/ws/chat', SANDBOX_ROOT_KEY: key };

describe('the configuration', () => {
  it('needs nothing for `all`', () => {
    expect(loadAllConfig({})).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      dataDir: '.pingr',
      queue: 'postgres',
    });
  });

  it('lists everything that is wrong at once, and shows no value', () => {
    const load = () =>
      loadApiConfig({ PORT: 'web', DATABASE_URL: 'mysql://app:hunter2@db', MASTER_KEY: 'hunter2' });
    expect(load).toThrow(
      /PORT: [^]*DATABASE_URL: [^]*MASTER_KEY: must be 32 bytes[^]*API_KEY_PEPPER: is required/,
    );
    expect(load).not.toThrow(/hunter2/);
  });

  it('takes an empty variable as absent', () => {
    expect(loadApiConfig({ ...services, PORT: '', REDIS_URL: '' })).toMatchObject({
      port: 3000,
      queue: 'postgres',
    });
  });

  it('reads keys as hex or base64', () => {
    const bytes = Buffer.from(key, 'hex');
    for (const text of [key, key.toUpperCase(), bytes.toString('base64'), bytes.toString('base64url')]) {
      expect(loadApiConfig({ ...services, MASTER_KEY: text }).masterKey).toEqual(bytes);
    }
  });

  it('puts the queue on Redis where there is one, unless told otherwise', () => {
    const redis = { ...services, REDIS_URL: 'redis://localhost:6379' };
    expect(loadApiConfig(redis).queue).toBe('redis');
    expect(loadApiConfig({ ...redis, QUEUE: 'postgres' }).queue).toBe('postgres');
    expect(() => loadApiConfig({ ...services, QUEUE: 'redis' })).toThrow(
      'REDIS_URL: is required with QUEUE=redis',
    );
  });

  it.each([
    ['true', true],
    ['false', false],
    ['2', 2],
    ['10.0.0.0/8, 127.0.0.1', ['10.0.0.0/8', '127.0.0.1']],
  ])('reads TRUST_PROXY=%s', (text, value) => {
    expect(loadApiConfig({ ...services, TRUST_PROXY: text }).trustProxy).toEqual(value);
  });

  it('reads a WhatsApp version', () => {
    const config = loadWorkerConfig({ ...worker, WHATSAPP_VERSION: '2,3000,1023223821' });
    expect(config.whatsappVersion).toEqual([2, 3000, 1023223821]);
    expect(() => loadWorkerConfig({ ...worker, WHATSAPP_VERSION: 'newest' })).toThrow('WHATSAPP_VERSION');
  });

  it.each([
    ['on', true],
    ['true', true],
    ['1', true],
    ['off', false],
    ['0', false],
  ])('reads MAILBOX=%s', (text, value) => {
    expect(loadApiConfig({ ...services, MAILBOX: text }).mailbox).toBe(value);
    expect(loadApiConfig(services).mailbox).toBeUndefined();
    expect(() => loadApiConfig({ ...services, MAILBOX: 'maybe' })).toThrow('MAILBOX: must be on or off');
  });

  it('reads where mails go and come from', () => {
    const url = 'smtp://user:hunter2@mail.example.com:587';
    const from = 'Acme <no-reply@example.com>';
    expect(loadApiConfig({ ...services, SMTP_URL: url, MAIL_FROM: from })).toMatchObject({
      smtpUrl: url,
      mailFrom: from,
    });
    for (const wrong of ['nobody', 'Acme <a@b>\r\nBcc: <c@d>', 'a@b, c@d']) {
      expect(() => loadApiConfig({ ...services, MAIL_FROM: wrong })).toThrow('MAIL_FROM: must be an address');
    }
    expect(() => loadApiConfig({ ...services, SMTP_URL: 'https://mail' })).toThrow('SMTP_URL');
    expect(() => loadApiConfig({ ...services, SMTP_URL: url })).toThrow(
      'MAIL_FROM: is required with SMTP_URL',
    );
  });

  it('needs nothing for the emulator', () => {
    expect(loadEmulatorConfig({})).toMatchObject({
      emulatorHost: '127.0.0.1',
      emulatorStateDir: '.pingr/emulator',
    });
  });
});

describe('a live worker', () => {
  it.each([
    ['SANDBOX_WS_URL', sandbox.SANDBOX_WS_URL],
    ['SANDBOX_ROOT_KEY', key],
    ['SANDBOX_MEDIA_CA', '/ca.pem'],
  ])('refuses %s', (name, value) => {
    expect(() => loadWorkerConfig({ ...worker, [name]: value })).toThrow(
      `${name}: must not be set for a live worker`,
    );
  });

  it('starts from an environment that had them taken out', () => {
    expect(loadWorkerConfig(withoutSandbox({ ...worker, ...sandbox })).workerMode).toBe('live');
  });
});

describe('a test worker', () => {
  it('needs a sandbox', () => {
    const load = () => loadWorkerConfig({ ...services, WORKER_MODE: 'test' });
    expect(load).toThrow(/SANDBOX_WS_URL: is required[^]*SANDBOX_ROOT_KEY: is required/);
    expect(loadWorkerConfig({ ...services, ...sandbox, WORKER_MODE: 'test' }).sandboxRootKey).toHaveLength(
      32,
    );
  });
});

describe('the sandbox root key', () => {
  it("follows from the emulator's private key", () => {
    // RFC 7748 §6.1, Bob's key pair.
    const config = loadWorkerConfig({
      ...services,
      WORKER_MODE: 'test',
      SANDBOX_WS_URL: sandbox.SANDBOX_WS_URL,
      EMULATOR_ROOT_PRIVATE_KEY: '5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb',
    });
    expect(config.sandboxRootKey?.toString('hex')).toBe(
      'de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f',
    );
  });
});

describe('the documentation', () => {
  it('names every variable in both files', () => {
    for (const schema of Object.values(settingsShape)) {
      const name = variables.get(schema)?.env ?? 'undocumented';
      expect(envExample()).toContain(`\n#${name}=\n`);
      expect(configurationDocs()).toContain(`| \`${name}\``);
    }
  });
});
