import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '..');

const sourceFiles = async () => {
  const files = await readdir(path.join(root, 'src'), { recursive: true });
  return files.filter((file) => file.endsWith('.ts')).map((file) => path.join('src', file));
};

const lineCount = async (file: string) =>
  (await readFile(path.join(root, file), 'utf8')).split('\n').length - 1;

describe('the house', () => {
  it('has small files', async () => {
    const counts = await Promise.all((await sourceFiles()).map(lineCount));
    const sorted = counts.toSorted((a, b) => a - b);
    expect(sorted.at(-1)).toBeLessThanOrEqual(300);
    expect(sorted[Math.floor(sorted.length * 0.9)]).toBeLessThanOrEqual(200);
  });

  it('has no barrels and no drawer for leftovers', async () => {
    const names = (await sourceFiles()).filter((file) =>
      /(^|\/)(index|utils?|helpers?|common|misc)\b/.test(file),
    );
    expect(names).toEqual([]);
  });

  it('names files by slice and kind inside features', async () => {
    const kinds = 'routes|schema|service|model|store|system|events|reactions|jobs|errors|outcomes|config';
    const files = (await sourceFiles()).filter((file) =>
      /^src\/features\/[^/]+\/[^/]+\.[^/]+\.ts$/.test(file),
    );
    const strays = files.filter((file) => !new RegExp(`\\.(${kinds})\\.(test\\.)?ts$`).test(file));
    expect(strays).toEqual([]);
  });
});

/** What each planted file must be refused for. */
const PLANTED: Record<string, { imports: string; rule: string }> = {
  'src/lib/a.ts': { imports: '../platform/log/log.ts', rule: 'lib-imports-nothing' },
  'src/platform/http/a.ts': {
    imports: '../../features/messages/messages.store.ts',
    rule: 'platform-imports-lib',
  },
  'src/whatsapp/a.ts': { imports: '../platform/http/app.ts', rule: 'whatsapp-imports' },
  'src/emulator/a.ts': { imports: '../platform/log/log.ts', rule: 'emulator-imports-lib' },
  'src/features/sessions/a.ts': { imports: '../messages/messages.store.ts', rule: 'slice-imports' },
  'src/features/sessions/b.ts': {
    imports: '../messages/messages.service.ts',
    rule: 'services-of-others-by-type-only',
  },
  'src/sessions-pool/a.ts': {
    imports: '../features/messages/messages.service.ts',
    rule: 'sessions-pool-knows-services-by-type-only',
  },
  'src/sessions-pool/b.ts': {
    imports: '../features/messages/messages.store.ts',
    rule: 'sessions-pool-imports',
  },
  'src/platform/http/b.ts': { imports: '../../roles/all.ts', rule: 'roles-are-the-top' },
  'src/features/messages/a.ts': { imports: 'bullmq', rule: 'home-of-bullmq' },
  'src/features/messages/b.ts': { imports: 'pg', rule: 'home-of-pg' },
  'src/features/messages/c.ts': { imports: 'ioredis', rule: 'home-of-ioredis' },
  'src/features/messages/d.ts': {
    imports: '@whiskeysockets/baileys',
    rule: 'home-of-baileys',
  },
  'src/features/messages/e.ts': { imports: 'fastify', rule: 'home-of-fastify' },
};

/** Targets of the planted imports, and imports that the table allows. */
const ALLOWED: Record<string, string> = {
  'src/platform/log/log.ts': 'export const log = 1;',
  'src/platform/http/app.ts': "import 'fastify';",
  'src/roles/all.ts': "import '../features/messages/messages.store.ts';",
  'src/features/messages/messages.store.ts': 'export const store = 1;',
  'src/features/messages/messages.service.ts': 'export interface Messages { send(): void }',
  'src/features/messages/messages.events.ts': 'export const sent = 1;',
  'src/features/messages/messages.routes.ts': "import 'fastify';",
  'src/features/billing/billing.service.ts': [
    "import type { Messages } from '../messages/messages.service.ts';",
    "import { sent } from '../messages/messages.events.ts';",
    'export const bill = (messages: Messages) => [messages, sent];',
  ].join('\n'),
};

describe('the import rules', () => {
  it('refuse each import that the table forbids, and nothing that it allows', async () => {
    const house = await mkdtemp(path.join(tmpdir(), 'pingr-house-'));
    onTestFinished(() => rm(house, { recursive: true }));
    const planted = Object.entries(PLANTED).map(
      ([file, { imports }]) => [file, `import '${imports}';`] as const,
    );
    for (const [file, text] of [...planted, ...Object.entries(ALLOWED)]) {
      await mkdir(path.dirname(path.join(house, file)), { recursive: true });
      await writeFile(path.join(house, file), text);
    }
    for (const shared of ['node_modules', 'package.json', 'tsconfig.json', '.dependency-cruiser.cjs']) {
      await symlink(path.join(root, shared), path.join(house, shared));
    }
    const depcruise = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const args = [depcruise, 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
    const failed = await run(process.execPath, args, { cwd: house, maxBuffer: 2 ** 26 }).catch(
      (error: { stdout: string }) => error,
    );
    const found: { summary: { violations: { from: string; rule: { name: string } }[] } } = JSON.parse(
      failed.stdout,
    );
    const { violations } = found.summary;
    expect([...new Set(violations.map(({ from }) => from))].toSorted()).toEqual(
      Object.keys(PLANTED).toSorted(),
    );
    expect(violations.map(({ from, rule }) => `${from} ${rule.name}`)).toEqual(
      expect.arrayContaining(Object.entries(PLANTED).map(([file, { rule }]) => `${file} ${rule}`)),
    );
  });
});
