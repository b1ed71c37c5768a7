import { createLifecycle } from '../../../src/platform/lifecycle/lifecycle.ts';
import { exitOnSignals } from '../../../src/platform/lifecycle/signals.ts';
import { createLog } from '../../../src/platform/log/log.ts';

/** A process with one part; its argument says how that part closes, or what goes wrong. */
const [behaviour] = process.argv.slice(2);
const log = createLog({ level: 'info', format: 'json' });
const lifecycle = createLifecycle(log);
exitOnSignals({
  lifecycle,
  log,
  timeoutMs: behaviour === 'hangs' ? 60_000 : 2_000,
  survivesRejections: behaviour === 'survives',
});
const never = new Promise<void>(() => {});
await lifecycle.open('part', () => 0, {
  close: () => (behaviour === 'hangs' ? never : log.info('part closed')),
  timeoutMs: 60_000,
});
setInterval(() => {}, 1_000);
log.info('ready');
if (behaviour === 'rejects' || behaviour === 'survives')
  void Promise.reject(new Error('nobody waits for this'));
