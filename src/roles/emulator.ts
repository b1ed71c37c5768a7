import { randomBytes } from 'node:crypto';
import { startEmulator } from '../emulator/start.ts';
import { createLifecycle } from '../platform/lifecycle/lifecycle.ts';
import { exitOnSignals } from '../platform/lifecycle/signals.ts';
import { createLog } from '../platform/log/log.ts';
import type { EmulatorConfig } from './config.ts';
import { announceReady } from './supervise-protocol.ts';

/** Runs the sandbox: a WhatsApp server with virtual phones. */
export async function runEmulator(config: EmulatorConfig): Promise<void> {
  const log = createLog({ level: config.logLevel, format: config.logFormat, fields: { role: 'emulator' } });
  const lifecycle = createLifecycle(log);
  exitOnSignals({ lifecycle, log, timeoutMs: config.shutdownTimeoutMs });

  const madeToken = config.sandboxControlToken === undefined ? randomBytes(24).toString('hex') : undefined;
  const emulator = await lifecycle.open(
    'emulator',
    () =>
      startEmulator({
        host: config.emulatorHost,
        port: config.emulatorPort,
        controlPort: config.emulatorControlPort,
        controlToken: config.sandboxControlToken ?? madeToken ?? '',
        stateDir: config.emulatorStateDir,
        log,
        ...(config.emulatorRootPrivateKey && { rootPrivateKey: config.emulatorRootPrivateKey }),
      }),
    { close: (opened) => opened.close() },
  );
  const address = {
    SANDBOX_WS_URL: emulator.wsUrl,
    SANDBOX_CONTROL_URL: emulator.controlUrl,
    SANDBOX_ROOT_KEY: Buffer.from(emulator.rootPublicKey).toString('hex'),
  };
  log.info(address, 'emulator is ready');
  // Without a supervisor there is a person at the terminal, who has no other way to learn the token.
  if (madeToken !== undefined) process.stdout.write(`SANDBOX_CONTROL_TOKEN=${madeToken}\n`);
  announceReady(address);
}
