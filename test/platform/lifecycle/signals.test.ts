import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const script = path.join(import.meta.dirname, 'process-with-signals.ts');

const start = async (behaviour: string) => {
  const child = spawn(process.execPath, ['--import', 'tsx', script, behaviour], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const says = async (text: string) => {
    while (!output.includes(text) && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect(output).toContain(text);
  };
  await says('ready');
  return { child, exit, says };
};

const END: Record<string, (child: ChildProcess) => void> = {
  SIGTERM: (child) => child.kill('SIGTERM'),
  SIGINT: (child) => child.kill('SIGINT'),
  'its parent going away': (child) => child.disconnect(),
};

describe('a process', () => {
  it.each(Object.keys(END))('closes its parts and exits with 0 on %s', async (how) => {
    const { child, exit, says } = await start('closes');
    END[how]?.(child);
    expect(await exit).toBe(0);
    await says('part closed');
  });

  it('exits at once on a second signal', async () => {
    const { child, exit, says } = await start('hangs');
    child.kill('SIGINT');
    await says('shutting down');
    child.kill('SIGINT');
    expect(await exit).toBe(1);
  });

  it('logs an unhandled rejection, closes its parts and exits with 1', async () => {
    const { exit, says } = await start('rejects');
    expect(await exit).toBe(1);
    await says('nobody waits for this');
    await says('part closed');
  });

  it('goes on after an unhandled rejection where it was told to', async () => {
    const { child, exit, says } = await start('survives');
    await says('nobody waits for this');
    child.kill('SIGTERM');
    expect(await exit).toBe(0);
  });
});
