import type { Faults } from '../faults/faults.ts';
import type { Counters } from '../state/counters.ts';
import type { EmulatorLog } from '../state/log.ts';
import type { StateStore } from '../state/state-store.ts';
import type { Timers } from '../state/timers.ts';

/** What every part of one emulator shares. */
export interface Emulation {
  store: StateStore;
  timers: Timers;
  faults: Faults;
  counters: Counters;
  log: EmulatorLog;
  now(): Date;
  /** Ever-rising number that orders queues and inboxes; never the same twice, also after a restart. */
  nextSequence(): number;
}

/** The server's time in whole seconds, as stanzas carry it. */
export function serverSeconds(emulation: Emulation): string {
  return String(Math.floor(emulation.now().getTime() / 1000));
}
