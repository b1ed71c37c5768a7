import { faultSchema, isLasting } from '../faults/fault.schema.ts';
import type { ActiveFault } from '../faults/faults.ts';
import { strikeNow } from '../server/strike-now.ts';
import type { ControlContext, ControlReply, ControlRequest, ControlRoute } from './control-context.ts';

const FAULTS = '/v1/faults';

/** Calls that make the server misbehave. */
export const faultRoutes: ControlRoute[] = [
  { method: 'POST', path: FAULTS, handle: addFault },
  {
    method: 'GET',
    path: FAULTS,
    handle: ({ emulation }) => ({ status: 200, body: { data: emulation.faults.list().map(view) } }),
  },
  {
    method: 'DELETE',
    path: FAULTS,
    handle: ({ emulation }, { query }) => {
      emulation.faults.clear(query.get('realm') ?? undefined);
      return { status: 204 };
    },
  },
];

async function addFault(context: ControlContext, { body }: ControlRequest): Promise<ControlReply> {
  const fault = faultSchema.parse(body);
  const active = isLasting(fault) ? context.emulation.faults.add(fault) : undefined;
  if (fault.kind === 'silence' || !isLasting(fault)) {
    await strikeNow(context, context.server.connections, fault);
  }
  return { status: 201, body: active ? view(active) : { id: null, ...fault } };
}

function view({ id, fault, left, until }: ActiveFault) {
  return { id, ...fault, times_left: left, ends_at: until && new Date(until).toISOString() };
}
