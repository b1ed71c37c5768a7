import { runAll } from './roles/all.ts';
import { migrateAll } from './roles/all-database.ts';
import { runApi } from './roles/api.ts';
import { bootstrap, printBootstrap } from './roles/bootstrap.ts';
import {
  loadAllConfig,
  loadApiConfig,
  loadEmulatorConfig,
  loadMigrateConfig,
  loadWorkerConfig,
} from './roles/config.ts';
import { runEmulator } from './roles/emulator.ts';
import { explainFailedStart } from './roles/failed-start.ts';
import { runPaymentSandbox } from './roles/payment-sandbox.ts';
import { runWorker } from './roles/worker.ts';

const ROLES: Record<string, () => Promise<void>> = {
  all: () => runAll({ config: loadAllConfig(), bootstrap }),
  api: () => runApi(loadApiConfig()),
  worker: () => runWorker(loadWorkerConfig()),
  emulator: () => runEmulator(loadEmulatorConfig()),
  'payment-sandbox': () => runPaymentSandbox(loadEmulatorConfig()),
  bootstrap: () => printBootstrap(loadApiConfig()),
  migrate: async () => {
    const config = loadMigrateConfig();
    const applied = await migrateAll(config.migrationDatabaseUrl ?? config.databaseUrl, config.queue);
    process.stdout.write(applied.map((name) => `applied ${name}\n`).join('') || 'up to date\n');
  },
};

const role = process.argv[2] ?? 'all';
const run = ROLES[role];
if (run === undefined) {
  process.stderr.write(`${role} is no role. Roles: ${Object.keys(ROLES).join(', ')}\n`);
  process.exit(2);
}
try {
  await run();
} catch (error) {
  process.stderr.write(`${explainFailedStart(role, error)}\n`);
  process.exit(1);
}
