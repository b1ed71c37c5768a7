import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { PATIENCE_MS } from './test/support/patience.ts';

/** Files that mostly wait, for leases to end or a link to come back. Begun first, the longest before the others. */
const PATIENT = [
  'webhook-outages',
  'test/roles/all',
  'killed-workers',
  'silent-link',
  'test/e2e/',
  'takeover',
];

class PatientFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const place = PATIENT.findIndex((part) => moduleId.includes(part));
      return place < 0 ? PATIENT.length : place;
    };
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

/** Baileys is patched once a process (console, trusted root key), so what patches it has a process for each file. */
const ALONE = [
  'test/whatsapp/baileys/{devices,durability,lifecycle,receiving,sending,small-parts,trust}.test.ts',
  'test/emulator/{crossing-messages,forged-trust}.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    maxWorkers: 4,
    sequence: { sequencer: PatientFirst },
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE } },
      {
        extends: true,
        test: { name: 'shared', include: ['test/**/*.test.ts'], exclude: ALONE, isolate: false },
      },
    ],
    pool: 'forks',
    testTimeout: 300_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: PATIENCE_MS } },
  },
});
