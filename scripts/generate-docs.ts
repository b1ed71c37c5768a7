import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { configurationDocs, envExample } from '../src/roles/config-docs.ts';
import { errorDocs } from '../src/roles/error-docs.ts';

/** Files that are made from the code. `--check` changes nothing and fails where one is not fresh. */
const GENERATED: Record<string, () => string> = {
  '.env.example': envExample,
  'docs/configuration.md': configurationDocs,
  'docs/errors.md': errorDocs,
};

const root = path.join(import.meta.dirname, '..');
const check = process.argv.includes('--check');
const stale: string[] = [];

for (const [file, generate] of Object.entries(GENERATED)) {
  const target = path.join(root, file);
  const text = generate();
  const current = await readFile(target, 'utf8').catch(() => undefined);
  if (current === text) continue;
  stale.push(file);
  if (check) continue;
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, text);
}

if (stale.length === 0) console.log('generated docs are fresh');
else console.log(`${check ? 'not fresh (run npm run docs)' : 'written'}: ${stale.join(', ')}`);
if (check && stale.length > 0) process.exitCode = 1;
