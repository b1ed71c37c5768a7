import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Fleet, linkFleet } from '../support/fleet.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let fleet: Fleet;

beforeAll(async () => {
  world = await createWorld({
    workers: 2,
  });
});
afterAll(() => world.close());

/** How many sessions each worker holds. */
async function spread(): Promise<number[]> {
  const { rows } = await world.db.owner.query(
    'select count(*)::int as held from session_leases where wanted and expires_at > now() group by owner',
  );
  return rows.map((row) => row.held);
}

describe('sessions spread over two workers', () => {
  beforeAll(async () => {
    fleet = await linkFleet(world);
  });

  it('are shared fairly', async () => {
    await eventually(spread, (shares) => shares.length === 2 && shares.every((held) => held === 2));
  });

  it('lose and double nothing when one worker is killed in the middle of 500 sends', async () => {
    const sending = fleet.sendMany(500, 'kill');
    await eventually(
      () => fleet.arrived('kill'),
      (found) => found.length > 100,
    );
    world.workers[0]?.kill('SIGKILL');
    await fleet.expectAllConnected();
    await eventually(spread, (shares) => shares.length === 1 && shares[0] === 4);
    await sending;
    await fleet.expectExactlyOnce(500, 'kill');
    await fleet.expectAllDelivered();
  });

  it('spread again over a worker that joins', async () => {
    await world.startWorker();
    await eventually(spread, (shares) => shares.length === 2 && shares.every((held) => held === 2));
  });

  it('move to the other worker at once when one is stopped in order', async () => {
    const [stopped] = world.workers.filter(
      (worker) => worker.exitCode === null && worker.signalCode === null,
    );
    const sending = fleet.sendMany(100, 'stop');
    stopped?.kill('SIGTERM');
    await sending;
    await fleet.expectExactlyOnce(100, 'stop');
    await fleet.expectAllDelivered();
  });
});

describe('messages to a session', () => {
  beforeAll(async () => {
    fleet = await linkFleet(world);
  });

  it('are all stored, once, when every worker is killed in the middle of 200', async () => {
    const writeTen = async (phone: string, to: string) => {
      for (let n = 0; n < 10; n++) {
        await fleet.api.post(`/v1/sandbox/phones/${phone}/messages`, {
          to,
          text: { body: `in ${phone} ${n}` },
        });
      }
    };
    const writing = Promise.all(
      fleet.phones.flatMap((phone) => fleet.sessions.map(({ phone: to }) => writeTen(phone, to))),
    );
    const stored = async () => {
      const { rows } = await world.db.owner.query(
        `select count(*)::int as all, count(distinct wire_id)::int as distinct from messages where direction = 'inbound'`,
      );
      return rows[0];
    };
    await eventually(stored, (found) => found.all > 40);
    for (const worker of world.workers) worker.kill('SIGKILL');
    await writing;
    await world.startWorker();
    await eventually(stored, (found) => found.distinct === 200);
    await sleep(500);
    expect(await stored()).toEqual({ all: 200, distinct: 200 });
  });
});
