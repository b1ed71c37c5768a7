import { createServer } from 'node:http';

const built = (file) => import(new URL(`../../dist/${file}`, import.meta.url));
const { createLifecycle } = await built('platform/lifecycle/lifecycle.js');
const { exitOnSignals } = await built('platform/lifecycle/signals.js');
const { createLog } = await built('platform/log/log.js');
const { loadAllConfig, loadApiConfig, loadWorkerConfig } = await built('roles/config.js');
const { announceReady } = await built('roles/supervise-protocol.js');

/**
 * The program with real supervision, database and configuration, and roles that do nothing but live. The API answers
 * every request with its pid. Runs from the build, since it starts some thirty processes.
 */
const [role = ''] = process.argv.slice(2);

if (role === 'all') {
  const { runAll } = await built('roles/all.js');
  await runAll({
    config: loadAllConfig(),
    bootstrap: async () => ({ accountId: 'acc_1', testKey: 'pk_test_1', liveKey: 'pk_live_1' }),
  });
} else {
  const log = createLog({ level: 'info', format: 'json', fields: { role } });
  const lifecycle = createLifecycle(log);
  exitOnSignals({ lifecycle, log, timeoutMs: 40_000 });
  log.info({ pid: process.pid }, `${role} runs`);
  if (role === 'emulator') {
    announceReady({ SANDBOX_WS_URL: 'ws://127.0.0.1:1/ws/chat', SANDBOX_ROOT_KEY: 'ab'.repeat(32) });
    setInterval(() => {}, 1_000);
  }
  if (role === 'payment-sandbox') {
    announceReady();
    setInterval(() => {}, 1_000);
  }
  if (role === 'worker') {
    log.info({ mode: loadWorkerConfig().workerMode }, 'worker configured');
    announceReady();
    setInterval(() => {}, 1_000);
  }
  if (role === 'api') {
    const server = createServer((_request, response) => void response.end(String(process.pid)));
    server.listen(loadApiConfig().port, '127.0.0.1', () => announceReady());
  }
}
