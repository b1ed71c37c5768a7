import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { EmulatorAddress } from '../emulator/emulator.ts';
import { type Door, postJson } from '../load/http.ts';
import { GARBAGE_ARGS, ROOT } from '../machine/memory.ts';
import { startNode, stopProcess } from '../machine/processes.ts';

/** Realm of raw Baileys' phones. */
export const RAW_REALM = 'raw';

/** Raw Baileys in a process of its own. */
export interface RawBaileys {
  pid: number;
  door: Door;
  /** Runs a command of raw-process.ts and resolves with its answer. */
  command(name: string, input?: object): Promise<string>;
  close(): Promise<void>;
}

/** Starts a fresh process without sessions. */
export async function startRaw(emulator: EmulatorAddress, logFile: string): Promise<RawBaileys> {
  const env = {
    PATH: process.env['PATH'],
    WS_URL: emulator.wsUrl,
    ROOT_KEY: emulator.rootKey,
    CONTROL_URL: emulator.controlUrl,
    CONTROL_TOKEN: emulator.controlToken,
    REALM: RAW_REALM,
  };
  const script = await compiled();
  const { child, pid, ready } = await startNode([...GARBAGE_ARGS, script], { env, logFile });
  const base = String(ready);
  return {
    pid,
    door: { url: `${base}/send`, headers: {}, body: (to, text) => ({ to, text }) },
    command: (name, input = {}) => postJson(`${base}/${name}`, input),
    close: () => stopProcess(child),
  };
}

/** Compiled, as Pingr is: a loader for TypeScript would count as raw Baileys' memory. */
async function compiled(): Promise<string> {
  const from = fileURLToPath(new URL('.', import.meta.url));
  const to = path.join(ROOT, 'node_modules/.cache/pingr-bench');
  await mkdir(to, { recursive: true });
  await writeFile(path.join(to, 'package.json'), '{"type":"module"}');
  for (const name of await readdir(from)) {
    const { outputText } = ts.transpileModule(await readFile(path.join(from, name), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    });
    await writeFile(path.join(to, name.replace(/\.ts$/, '.js')), outputText);
  }
  return path.join(to, 'raw-process.js');
}
