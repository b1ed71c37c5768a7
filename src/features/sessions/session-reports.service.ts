import type { NewUuid } from '../../lib/ids.ts';
import type { Database } from '../../platform/db/database.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import { type Pacing, pacingOf, type SessionRow, type SessionStatus } from './sessions.model.ts';
import * as system from './sessions.system.ts';

/** A session as the worker that holds it sees it: with the pacing that applies. */
export interface HeldRow extends Omit<SessionRow, 'pacing'> {
  pacing: Pacing;
}

/** Why a session that was linked will not come back by itself. */
export interface SessionEnd {
  status: SessionStatus;
  code: string;
  detail: string;
  /** The number that was linked, in digits. */
  phone: string;
}

/**
 * What the worker that holds a session reports about it. Every report names the hold's epoch and resolves to false
 * when the lease has moved to another worker, in which case nothing was written.
 */
export interface SessionReports {
  status(hold: system.Hold, report: system.StatusReport): Promise<boolean>;
  /** Its link ended by WhatsApp's doing, and it needs a person: as `status`, and `onEnded` in the same transaction. */
  ended(hold: system.Hold, end: SessionEnd): Promise<boolean>;
  qr(hold: system.Hold, qr: { text: string; expiresAt: Date }): Promise<boolean>;
  /** Kept only while the answer's number is the one that the customer asked for. */
  pairingAnswer(hold: system.Hold, answer: system.PairingAnswer): Promise<boolean>;
  linked(hold: system.Hold, self: Parameters<typeof system.writeLinked>[2]): Promise<boolean>;
  eraseLink(hold: system.Hold): Promise<boolean>;
  deleted(hold: system.Hold): Promise<boolean>;
  /** The session as it is now; `undefined` when it is gone or held by another worker. */
  read(hold: system.Hold): Promise<HeldRow | undefined>;
}

export function createSessionReports(deps: {
  database: Database;
  newUuid: NewUuid;
  /** Called with the account after a fact was committed. */
  onFact: (accountId: string) => void;
  /** Writes to whoever is to link it again. */
  onEnded?: (tx: SystemTx, hold: system.Hold, end: SessionEnd) => Promise<void>;
  /** Called once that is committed. */
  afterEnded?: () => void;
}): SessionReports {
  const run = <T>(work: (tx: SystemTx) => Promise<T>) => deps.database.systemOnce(work);
  return {
    async status(hold, report) {
      const held = await run((tx) => system.writeStatus(tx, hold, report, deps.newUuid()));
      if (held) deps.onFact(hold.accountId);
      return held;
    },
    async ended(hold, end) {
      const held = await deps.database.system(async (tx) => {
        const isHeld = await system.writeStatus(tx, hold, { ...end, wanted: false }, deps.newUuid());
        if (isHeld) await deps.onEnded?.(tx, hold, end);
        return isHeld;
      });
      if (held) {
        deps.onFact(hold.accountId);
        deps.afterEnded?.();
      }
      return held;
    },
    qr: (hold, qr) => run((tx) => system.writeQr(tx, hold, qr)),
    pairingAnswer: (hold, answer) => run((tx) => system.writePairingAnswer(tx, hold, answer)),
    linked: (hold, self) => run((tx) => system.writeLinked(tx, hold, self)),
    eraseLink: (hold) => run((tx) => system.eraseLink(tx, hold)),
    deleted: (hold) => run((tx) => system.deleteSession(tx, hold)),
    async read(hold) {
      const row = await run((tx) => system.readHeld(tx, hold));
      return row && { ...row, pacing: pacingOf(row) };
    },
  };
}
