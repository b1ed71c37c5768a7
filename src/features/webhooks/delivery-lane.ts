import { setMaxListeners } from 'node:events';
import { backoffDelay } from '../../lib/backoff.ts';
import { WakeSignal } from '../../lib/wake-signal.ts';
import { type Attempt, type AttemptParts, attemptDelivery } from './attempt-delivery.ts';
import type { Claim, Claimed } from './claim-deliveries.ts';
import type { Outcome } from './complete.system.ts';
import type { DeliveryMetrics } from './delivery-metrics.ts';
import { outcomeOf, type Retrying, unsendableOutcome, unsentOutcome } from './delivery-outcome.ts';
import { LaneAgenda } from './lane-agenda.ts';
import type { LaneLease } from './lanes.system.ts';
import type { OutcomeWriter, Written } from './outcome-writer.ts';
import { type PreparingParts, prepareDeliveries, type ReadyDelivery } from './prepare-deliveries.ts';
import { ReadyDeliveries } from './ready-deliveries.ts';
import { afterFailure, afterSuccess, NEW_WINDOW, roomFor, withNothingAhead } from './send-window.ts';
import type { DisabledReason } from './webhooks.model.ts';

export interface LaneParts extends AttemptParts, PreparingParts, Retrying {
  claim: Claim;
  outcomes: Pick<OutcomeWriter, 'write'>;
  /** Puts back what nobody works on, except these attempts. @returns false where the lane is lost */
  recover: (lease: LaneLease, open: readonly string[]) => Promise<boolean>;
  /** Switches the endpoint off for good; resolves once that is decided. */
  disable: (lease: LaneLease, why: { url: string; reason: DisabledReason }) => Promise<void>;
  metrics: DeliveryMetrics;
  /** Most requests at once. */
  concurrency: number;
  /** How long a lane with nothing to do stays. */
  lingerMs: number;
  /** An endpoint where every attempt has failed for so long is switched off at the next failure. */
  disableAfterMs: number;
}

/** How a lane ended. */
export interface LaneEnd {
  /** Whether the lease can be given back: it is the worker's, and all outcomes are written. */
  clean: boolean;
  /** Milliseconds until something is due, as far as the lane knows. */
  nextMs: number | undefined;
}

const UNSURE_PAUSE_MS = 1_000;
const LONGEST_REST_MS = 60_000;
const RETRY = { baseMs: 100, maxMs: 5_000 };

/** Delivers to one endpoint while it holds the lease: claims what is due, posts it, hands on what came of it. */
export class DeliveryLane {
  readonly lease: LaneLease;
  readonly #parts: LaneParts;
  readonly #agenda = new LaneAgenda();
  readonly #wake = new WakeSignal();
  /** Aborted when the lane takes up no more. */
  readonly #stop = new AbortController();
  /** Aborted when requests under way are given up. */
  readonly #giveUp = new AbortController();
  /** Attempts whose outcome is not written. */
  readonly #open = new Set<string>();
  readonly #work = new Set<Promise<void>>();
  readonly #ready = new ReadyDeliveries();
  #inFlight = 0;
  #window = NEW_WINDOW;
  #lost = false;
  /** Whether the database may hold attempts of this lane that it does not know. */
  #unsure: boolean;
  #troubles = 0;
  /** In milliseconds since the epoch. */
  #busyAt: number;

  constructor(parts: LaneParts, lease: LaneLease) {
    this.#parts = parts;
    this.lease = lease;
    this.#unsure = lease.unclean;
    this.#busyAt = this.#now();
    // Every request under way listens.
    setMaxListeners(0, this.#giveUp.signal);
  }

  /** Requests under way. */
  get sending(): number {
    return this.#inFlight;
  }

  /** Works until there is nothing left to do, the lease is lost, or `leave`. Does not throw. */
  async run(): Promise<LaneEnd> {
    while (!this.#stop.signal.aborted) await this.#turn();
    this.#giveBack();
    while (this.#work.size > 0) await Promise.all(this.#work);
    const nextAt = this.#agenda.next;
    return {
      clean: !this.#lost && !this.#unsure && this.#open.size === 0,
      nextMs: Number.isFinite(nextAt) ? Math.max(0, nextAt - this.#now()) : undefined,
    };
  }

  /** There may be something new. */
  wake(): void {
    this.#agenda.wake();
    this.#wake.raise();
  }

  /** Somebody wants this endpoint looked at now, also while its receiver rests. */
  insist(): void {
    this.#agenda.insist();
    this.#wake.raise();
  }

  /** Takes up nothing more; ends when the requests under way have. */
  leave(): void {
    this.#stop.abort();
  }

  /** Ends requests under way as interrupted. */
  giveUp(): void {
    this.#giveUp.abort();
  }

  /** The lease is somebody else's. What is under way ends by itself and changes nothing. */
  lose(): void {
    this.#lost = true;
    for (const { delivery } of this.#ready.takeAll()) this.#open.delete(delivery.attempt_id);
    this.#stop.abort();
  }

  /** Leaves where there is nothing to do at the moment. */
  leaveIfIdle(): void {
    if (this.#isIdle()) this.leave();
  }

  async #turn(): Promise<void> {
    const { log, clock, random, lingerMs } = this.#parts;
    try {
      if (this.#unsure) await this.#recover();
      const room = this.#room();
      if (room > 0 && !this.#stop.signal.aborted) await this.#claim(room);
      this.#troubles = 0;
    } catch (error) {
      log.warn({ err: error, endpoint: this.lease.endpointId }, 'webhook lane: cannot go on, trying again');
      this.#unsure = true;
      await clock
        .sleep(backoffDelay(++this.#troubles, RETRY, random), this.#stop.signal)
        .catch(() => undefined);
      return;
    }
    if (this.#ready.staleAt <= this.#now()) this.#giveBack();
    this.#sendReady();
    if (this.#isIdle() && this.#now() - this.#busyAt >= lingerMs) this.leave();
    else if (this.#room() === 0) await this.#rest();
  }

  async #recover(): Promise<void> {
    const held = await this.#parts.recover(this.lease, [...this.#open]);
    this.#unsure = false;
    this.#agenda.insist();
    if (!held) this.lose();
  }

  /** How many deliveries to claim now. */
  #room(): number {
    if (this.#agenda.next > this.#now()) return 0;
    return roomFor(this.#window, this.#inFlight, this.#ready.count);
  }

  async #claim(room: number): Promise<void> {
    this.#agenda.looking(this.#now());
    const claimed = await this.#parts.claim({ ...this.lease, room });
    if (claimed === 'lost') return this.lose();
    const { deliveries, endpoint } = claimed;
    this.#agenda.looked({ ...claimed, taken: deliveries.length, room }, this.#now());
    if (deliveries.length > 0) await this.#prepare(claimed);
    if (!endpoint.enabled) this.leave();
  }

  async #prepare(claimed: Claimed): Promise<void> {
    const { lease } = this;
    this.#busyAt = this.#now();
    for (const { attempt_id: id } of claimed.deliveries) this.#open.add(id);
    try {
      const { ready, unsendable } = await prepareDeliveries(this.#parts, claimed);
      this.#ready.add(ready);
      for (const { delivery, error } of unsendable)
        this.#write(unsendableOutcome({ delivery, lease }, error));
    } catch (error) {
      for (const delivery of claimed.deliveries) this.#write(unsentOutcome({ delivery, lease }));
      throw error;
    }
  }

  #sendReady(): void {
    if (this.#stop.signal.aborted) return;
    const rests = this.#agenda.rests(this.#now());
    while (this.#inFlight < this.#window.limit) {
      const next = this.#ready.next(rests);
      if (next === undefined) return;
      this.#inFlight++;
      this.#track(this.#send(next));
    }
  }

  async #send({ delivery, target, body }: ReadyDelivery): Promise<void> {
    const { metrics } = this.#parts;
    const request = { attemptId: delivery.attempt_id, eventId: delivery.event_id, body };
    const attempt = await attemptDelivery(this.#parts, target, request, this.#giveUp.signal);
    this.#inFlight--;
    this.#busyAt = this.#now();
    metrics.attemptEnded(attempt.outcome);
    if (attempt.outcome === 'succeeded') metrics.delivered(this.#busyAt - Date.parse(delivery.event_at));
    this.#learn(attempt);
    this.#sendReady();
    if (this.#room() > 0 || this.#inFlight === 0) this.#wake.raise();
    const written = await this.#settle(outcomeOf({ delivery, lease: this.lease }, attempt, this.#parts));
    if (attempt.restMs !== null) {
      this.#agenda.restWritten();
      this.#wake.raise();
    }
    if (written?.held !== true || attempt.outcome !== 'failed') return;
    if (attempt.gone) await this.#parts.disable(this.lease, { url: target.url, reason: 'gone' });
    else if ((written.failingMs ?? 0) >= this.#parts.disableAfterMs) {
      await this.#parts.disable(this.lease, { url: target.url, reason: 'failing' });
    }
  }

  /** What an attempt says about the receiver. */
  #learn({ outcome, durationMs, restMs, gone }: Attempt): void {
    if (outcome === 'succeeded') {
      this.#window = afterSuccess(this.#window, durationMs, this.#parts.concurrency);
    } else if (outcome === 'failed') this.#window = afterFailure(this.#window);
    if (restMs !== null) {
      this.#agenda.restUntil(this.#now() + restMs);
      this.#giveBack();
    }
    if (gone) this.leave();
  }

  /** Returns what is in hand to the database, and takes nothing ahead for a while. */
  #giveBack(): void {
    if (this.#ready.count > 0) this.#window = withNothingAhead(this.#window);
    for (const { delivery } of this.#ready.takeAll())
      this.#write(unsentOutcome({ delivery, lease: this.lease }));
  }

  #write(outcome: Outcome): void {
    this.#track(this.#settle(outcome));
  }

  /** @returns `undefined` where the outcome could not be written */
  async #settle(outcome: Outcome): Promise<Written | undefined> {
    try {
      const written = await this.#parts.outcomes.write(outcome);
      this.#open.delete(outcome.attemptId);
      if (!written.held) this.lose();
      this.#agenda.written(outcome.status === 'pending' ? this.#now() + outcome.delayMs : undefined);
      if (this.#isIdle() || this.#room() > 0) this.#wake.raise();
      return written;
    } catch (error) {
      const { log } = this.#parts;
      log.error({ err: error, delivery: outcome.deliveryId }, 'webhooks: an outcome is lost, sending again');
      this.#open.delete(outcome.attemptId);
      this.#unsure = true;
      // Not at once: an outcome that can never be written must not become a storm of deliveries.
      await this.#parts.clock.sleep(UNSURE_PAUSE_MS).catch(() => undefined);
      this.#wake.raise();
      return undefined;
    }
  }

  #track(work: Promise<unknown>): void {
    const tracked: Promise<void> = work
      .then(
        () => undefined,
        (err: unknown) => this.#parts.log.error({ err }, 'webhook lane: a delivery broke'),
      )
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  #isIdle(): boolean {
    return this.#inFlight === 0 && this.#open.size === 0 && this.#ready.count === 0;
  }

  /** Waits for news, or for the next thing that time brings. */
  async #rest(): Promise<void> {
    const hasRoom = roomFor(this.#window, this.#inFlight, this.#ready.count) > 0;
    const until = Math.min(
      hasRoom ? this.#agenda.next : Number.POSITIVE_INFINITY,
      this.#ready.staleAt,
      this.#isIdle() ? this.#busyAt + this.#parts.lingerMs : Number.POSITIVE_INFINITY,
    );
    const rest = new AbortController();
    const signal = AbortSignal.any([rest.signal, this.#stop.signal]);
    const ms = Math.min(Math.max(0, until - this.#now()), LONGEST_REST_MS);
    await Promise.race([this.#parts.clock.sleep(ms, signal).catch(() => undefined), this.#wake.wait(signal)]);
    rest.abort();
  }

  #now(): number {
    return this.#parts.clock.now().getTime();
  }
}
