import { afterAll, beforeAll, describe, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { type Fleet, linkFleet } from '../support/fleet.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let fleet: Fleet;

beforeAll(async () => {
  world = await createWorld();
  fleet = await linkFleet(world);
});
afterAll(() => world.close());

async function fault(body: object): Promise<void> {
  const { controlUrl, controlToken } = world.emulator;
  const headers = { authorization: `Bearer ${controlToken}`, 'content-type': 'application/json' };
  const answer = await fetch(`${controlUrl}/v1/faults`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`fault refused: ${await answer.text()}`);
}

describe('a WhatsApp server', () => {
  it('that goes silent for 16 seconds in the middle of sends costs no message', async () => {
    const sending = fleet.sendMany(200, 'silence');
    await eventually(
      () => fleet.arrived('silence'),
      (found) => found.length > 20,
    );
    await fault({ kind: 'silence', ms: 16_000 });
    await sending;
    await fleet.expectExactlyOnce(200, 'silence');
    await fleet.expectAllDelivered();
  });

  it('that stops and starts finds its phones and links again, without a new scan', async () => {
    await world.restartEmulator();
    await fleet.expectAllConnected();
    await fleet.sendMany(4, 'again');
    await fleet.expectExactlyOnce(4, 'again');
  });
});
