import type { LastingFault } from './fault.schema.ts';

/** Whom a fault may strike. */
export interface FaultTarget {
  realm?: string | undefined;
  phone?: string | undefined;
  device?: number | undefined;
}

export interface ActiveFault {
  id: string;
  fault: LastingFault;
  /** How often it still strikes; `undefined`: any number of times. */
  left: number | undefined;
  /** Milliseconds since the epoch; `undefined`: no end. */
  until: number | undefined;
}

type FaultOf<K extends LastingFault['kind']> = Extract<LastingFault, { kind: K }>;

/** The faults that lie in wait. */
export class Faults {
  readonly #active: ActiveFault[] = [];
  readonly #now: () => Date;
  #made = 0;

  constructor(now: () => Date) {
    this.#now = now;
  }

  /** Lays a fault in wait. */
  add(fault: LastingFault): ActiveFault {
    const span = fault.kind === 'silence' ? fault.ms : fault.for_ms;
    const active: ActiveFault = {
      id: `fault_${++this.#made}`,
      fault,
      left: fault.kind === 'silence' ? undefined : fault.times,
      until: span === undefined ? undefined : this.#now().getTime() + span,
    };
    this.#active.push(active);
    return active;
  }

  /**
   * The fault of that kind that strikes the target now, if any; it then has one strike less.
   * @param matches further condition, e.g. which query is dropped.
   */
  strike<K extends LastingFault['kind']>(
    kind: K,
    target: FaultTarget = {},
    matches: (fault: FaultOf<K>) => boolean = () => true,
  ): FaultOf<K> | undefined {
    if (this.#active.length === 0) return undefined;
    for (const active of this.list()) {
      const { fault } = active;
      if (!isKind(fault, kind) || !selects(fault, target) || !matches(fault)) continue;
      if (active.left !== undefined && --active.left === 0) this.#drop(active);
      return fault;
    }
    return undefined;
  }

  /** Those that can still strike. */
  list(): ActiveFault[] {
    const now = this.#now().getTime();
    for (const active of this.#active.slice()) {
      if (active.until !== undefined && active.until <= now) this.#drop(active);
    }
    return [...this.#active];
  }

  /** Calls off every fault, or those of one realm. */
  clear(realm?: string): void {
    for (const active of this.#active.slice()) {
      const own = 'realm' in active.fault ? active.fault.realm : undefined;
      if (realm === undefined || own === realm) this.#drop(active);
    }
  }

  #drop(active: ActiveFault): void {
    const at = this.#active.indexOf(active);
    if (at >= 0) this.#active.splice(at, 1);
  }
}

function isKind<K extends LastingFault['kind']>(fault: LastingFault, kind: K): fault is FaultOf<K> {
  return fault.kind === kind;
}

/** Whether a fault's selectors, where it has any, name the target. */
export function selects(fault: object, target: FaultTarget): boolean {
  const wanted: FaultTarget = fault;
  return (
    (wanted.realm === undefined || wanted.realm === target.realm) &&
    (wanted.phone === undefined || wanted.phone === target.phone) &&
    (wanted.device === undefined || wanted.device === target.device)
  );
}
