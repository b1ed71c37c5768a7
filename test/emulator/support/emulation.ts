import { Faults } from '../../../src/emulator/faults/faults.ts';
import type { Emulation } from '../../../src/emulator/network/emulation.ts';
import { Counters } from '../../../src/emulator/state/counters.ts';
import { SILENT_LOG } from '../../../src/emulator/state/log.ts';
import { StateStore } from '../../../src/emulator/state/state-store.ts';
import { Timers } from '../../../src/emulator/state/timers.ts';

/** An emulation whose clock the test holds. */
export async function emulationAt(clock: { ms: number }): Promise<Emulation> {
  const now = () => new Date(clock.ms);
  let sequence = 0;
  return {
    store: await StateStore.open(undefined),
    timers: new Timers(SILENT_LOG),
    faults: new Faults(now),
    counters: new Counters(),
    log: SILENT_LOG,
    now,
    nextSequence: () => ++sequence,
  };
}
