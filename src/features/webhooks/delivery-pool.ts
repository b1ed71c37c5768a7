import type { NewUuid } from '../../lib/ids.ts';
import type { Mode } from '../../lib/mode.ts';
import type { Database } from '../../platform/db/database.ts';
import type { Notices } from '../../platform/db/notices.ts';
import type { SystemTx } from '../../platform/db/scope.ts';
import { EVENTS_CHANNEL } from '../events/events.events.ts';
import type { AttemptParts } from './attempt-delivery.ts';
import { createClaim } from './claim-deliveries.ts';
import { DeliveryLane, type LaneEnd, type LaneParts } from './delivery-lane.ts';
import type { DeliveryMetrics } from './delivery-metrics.ts';
import type { ShowEvents } from './delivery-payload.ts';
import type { DeliverySettings } from './delivery-settings.ts';
import { type DisabledEndpoint, disableEndpoint } from './disable.system.ts';
import * as leases from './lanes.system.ts';
import { createOutcomeWriter, type OutcomeWriter } from './outcome-writer.ts';
import { isPassing } from './passing-trouble.ts';
import type { PreparingParts } from './prepare-deliveries.ts';
import { type EndpointWaker, WEBHOOK_WAKE_CHANNEL } from './webhook-wake.jobs.ts';

export interface DeliveryPoolParts extends Pick<AttemptParts, 'http' | 'policy'>, PreparingParts {
  /** UUID of this process. */
  workerId: string;
  mode: Mode;
  database: Pick<Database, 'system' | 'systemOnce'>;
  notices: Pick<Notices, 'listen'>;
  showEvents: ShowEvents;
  waker: Pick<EndpointWaker, 'offer'>;
  newUuid: NewUuid;
  random: () => number;
  metrics: DeliveryMetrics;
  settings: DeliverySettings;
  /** Called with the account after a fact was committed. */
  onFact: (accountId: string) => void;
  /** Joins the transaction that switches an endpoint off. */
  onDisabled: (tx: SystemTx, endpoint: DisabledEndpoint) => Promise<void>;
}

/** Endpoints that one sweep takes, so that workers share what a dead one leaves. */
const SWEEP_AT_ONCE = 50;

/** The endpoints that this worker delivers to: takes those with deliveries due, renews, and gives back on the way out. */
export class DeliveryPool {
  readonly #parts: DeliveryPoolParts;
  readonly #laneParts: LaneParts;
  readonly #outcomes: OutcomeWriter;
  readonly #lanes = new Map<string, DeliveryLane>();
  readonly #byAccount = new Map<string, Set<DeliveryLane>>();
  readonly #ending = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  /** Endpoints that were woken and have no lane here. */
  readonly #wanted = new Set<string>();
  /** The last of those that take lanes: one after the other, so that no endpoint gets two. */
  #takes: Promise<void> = Promise.resolve();
  #due = 0;
  /** When the database was last seen to be away, in milliseconds since the epoch. */
  #troubleAt = Number.NEGATIVE_INFINITY;
  #loops: Promise<unknown> = Promise.resolve();

  constructor(parts: DeliveryPoolParts) {
    const { database, workerId: owner, settings } = parts;
    this.#parts = parts;
    this.#outcomes = createOutcomeWriter({ ...parts, owner });
    this.#laneParts = {
      ...parts,
      ...settings,
      outcomes: this.#outcomes,
      claim: createClaim({ ...parts, owner }),
      recover: (lease, open) =>
        database.systemOnce((tx) => leases.recoverLane(tx, owner, { ...lease, open })),
      disable: (lease, why) => this.#disable({ ...lease, ...why }),
    };
  }

  /** Begins to deliver. @throws Error when the database cannot be reached */
  async start(): Promise<void> {
    const { notices, settings } = this.#parts;
    await notices.listen(EVENTS_CHANNEL, (accountId) => this.#wakeAccount(accountId));
    await notices.listen(WEBHOOK_WAKE_CHANNEL, (endpointId) => {
      if (endpointId !== undefined) this.#lanes.get(endpointId)?.insist();
    });
    await this.#sweep();
    this.#loops = Promise.all([
      this.#every(settings.renewMs, () => this.#renew()),
      this.#every(settings.sweepMs, () => this.#sweep()),
    ]);
  }

  /** An endpoint has deliveries due: its lane looks, or one is opened where no other process has it. */
  wake(endpointId: string): void {
    const lane = this.#lanes.get(endpointId);
    if (lane !== undefined) lane.insist();
    else if (!this.#stop.signal.aborted) void this.#take(endpointId);
  }

  /** What the pool does now; `due` is what waited at its lanes when it last looked, counted up to 10,000. */
  state(): { lanes: number; sending: number; due: number } {
    const sending = [...this.#lanes.values()].reduce((sum, lane) => sum + lane.sending, 0);
    return { lanes: this.#lanes.size, sending, due: this.#due };
  }

  /**
   * Takes up nothing more, lets requests under way finish for a while, writes what came of them, and gives the lanes
   * back. What does not end in time stands as interrupted, or is found by the next owner.
   */
  async drain(): Promise<void> {
    const { settings, clock } = this.#parts;
    this.#stop.abort();
    await this.#loops;
    await this.#takes;
    for (const lane of this.#lanes.values()) lane.leave();
    const done = new AbortController();
    const limits = async () => {
      await clock.sleep(settings.finishMs, done.signal);
      for (const lane of this.#lanes.values()) lane.giveUp();
      await clock.sleep(settings.flushMs, done.signal);
      this.#outcomes.giveUp();
    };
    const limited = limits().catch(() => undefined);
    while (this.#ending.size > 0) await Promise.all(this.#ending);
    done.abort();
    await limited;
  }

  /** Resolves when the endpoint has been looked at, together with all that were woken meanwhile. */
  async #take(endpointId: string): Promise<void> {
    this.#wanted.add(endpointId);
    await this.#alone('take', async (room) => {
      const wanted = [...this.#wanted].filter((id) => !this.#lanes.has(id)).slice(0, room);
      this.#wanted.clear();
      if (wanted.length === 0) return [];
      return this.#parts.database.systemOnce((tx) => leases.takeLanes(tx, this.#taker(), wanted));
    });
  }

  async #sweep(): Promise<void> {
    const { database, workerId } = this.#parts;
    await this.#alone('sweep', (room) => {
      const sweep = { holding: [...this.#lanes.keys()], limit: Math.min(SWEEP_AT_ONCE, room) };
      return database.systemOnce((tx) => leases.sweepLanes(tx, this.#taker(), sweep));
    });
    this.#due = await database.systemOnce((tx) => leases.countDue(tx, workerId));
  }

  /** @param take is told how many lanes there is room for; what it leaves is found by a later sweep, here or elsewhere */
  #alone(what: string, take: (room: number) => Promise<leases.LaneLease[]>): Promise<void> {
    this.#takes = this.#takes.then(() =>
      this.#guard(what, async () => {
        if (this.#stop.signal.aborted) return;
        const room = this.#parts.settings.lanes - this.#lanes.size;
        if (room > 0) for (const lease of await take(room)) this.#open(lease);
        else for (const lane of this.#lanes.values()) lane.leaveIfIdle();
      }),
    );
    return this.#takes;
  }

  #taker(): leases.Taker {
    const { workerId: owner, mode, settings, clock } = this.#parts;
    // When the database was away every lease has run out, and most owners are about to renew theirs.
    const takeExpired = clock.now().getTime() - this.#troubleAt > settings.renewMs;
    return { owner, mode, ttlMs: settings.leaseMs, takeExpired };
  }

  #open(lease: leases.LaneLease): void {
    const lane = new DeliveryLane(this.#laneParts, lease);
    this.#lanes.set(lease.endpointId, lane);
    const group = this.#byAccount.get(lease.accountId) ?? new Set();
    this.#byAccount.set(lease.accountId, group.add(lane));
    const ending = lane
      .run()
      .then((end) => this.#close(lane, end))
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    if (this.#stop.signal.aborted) lane.leave();
  }

  /** Frees the endpoint. Where the lane did not end cleanly the next sweep takes it up again and clears up. */
  async #close(lane: DeliveryLane, { clean, nextMs }: LaneEnd): Promise<void> {
    const { database, workerId, mode, waker } = this.#parts;
    const { endpointId, accountId } = lane.lease;
    if (clean) {
      await this.#guard('release', () =>
        database.systemOnce((tx) => leases.releaseLanes(tx, workerId, [lane.lease])),
      );
    }
    this.#lanes.delete(endpointId);
    const group = this.#byAccount.get(accountId);
    group?.delete(lane);
    if (group?.size === 0) this.#byAccount.delete(accountId);
    // Who added a delivery before the release saw a lane that was held, and told nobody else.
    if (clean) await this.#take(endpointId);
    if (nextMs !== undefined && !this.#lanes.has(endpointId)) waker.offer(endpointId, mode, nextMs);
  }

  async #renew(): Promise<void> {
    const { database, workerId: owner, settings } = this.#parts;
    // As of now: what is taken while the answer is on its way is not in it.
    const mine = [...this.#lanes.values()];
    if (mine.length === 0) return;
    const held = await database.systemOnce((tx) =>
      leases.renewLanes(
        tx,
        { owner, ttlMs: settings.leaseMs },
        mine.map(({ lease }) => lease),
      ),
    );
    for (const lane of mine) if (!held.has(lane.lease.endpointId)) lane.lose();
  }

  #wakeAccount(accountId: string | undefined): void {
    const woken = accountId === undefined ? this.#lanes.values() : this.#byAccount.get(accountId);
    for (const lane of woken ?? []) lane.wake();
  }

  async #disable(what: leases.LaneLease & Pick<DisabledEndpoint, 'url' | 'reason'>): Promise<void> {
    const { database, workerId: owner, settings, newUuid, onDisabled, onFact } = this.#parts;
    const disabling = { ...what, owner, failingMs: settings.disableAfterMs };
    const disabled = await database.system(async (tx) => {
      const endpoint = await disableEndpoint(tx, disabling, newUuid);
      if (endpoint !== undefined) await onDisabled(tx, endpoint);
      return endpoint;
    });
    if (disabled !== undefined) onFact(disabled.accountId);
  }

  async #every(ms: number, work: () => Promise<void>): Promise<void> {
    const { clock, random } = this.#parts;
    while (!this.#stop.signal.aborted) {
      // Workers that started together do not all look at the same moment.
      await clock.sleep(ms * (0.9 + 0.2 * random()), this.#stop.signal).catch(() => undefined);
      if (!this.#stop.signal.aborted) await this.#guard('tick', work);
    }
  }

  /** A database that is away is no reason to stop: the next round tries again. */
  async #guard(what: string, work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => {
      if (isPassing(error)) this.#troubleAt = this.#parts.clock.now().getTime();
      this.#parts.log.warn({ err: error }, `webhooks: ${what} failed`);
    });
  }
}
