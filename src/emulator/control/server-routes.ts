import type { ControlContext, ControlRoute } from './control-context.ts';

/** Calls about the server as a whole. */
export const serverRoutes: ControlRoute[] = [
  { method: 'GET', path: '/healthz', handle: () => ({ status: 200, body: { status: 'ok' } }) },
  {
    method: 'GET',
    path: '/v1/trust',
    handle: ({ wsUrl, rootPublicKey }) => ({
      status: 200,
      body: { ws_url: wsUrl, root_key: Buffer.from(rootPublicKey).toString('hex') },
    }),
  },
  {
    method: 'GET',
    path: '/v1/stats',
    handle: (context) => ({ status: 200, body: stats(context) }),
  },
  {
    method: 'DELETE',
    path: '/v1/realms/:realm',
    handle: async ({ realms, clients }, { params }) => {
      const realm = realms.realm(params['realm'] ?? '');
      await realms.erase(realm.id);
      await clients.forget(realm);
      return { status: 204 };
    },
  },
];

function stats({ emulation, realms, server }: ControlContext) {
  const { user, system } = process.cpuUsage();
  const all = realms.list();
  const devices = realms.linkedDevices();
  const { counters } = emulation;
  return {
    connections: server.connections.size,
    devices: devices.length,
    devices_online: devices.filter(({ device }) => device.online).length,
    realms: all.length,
    phones: all.reduce((sum, realm) => sum + realm.phones().length, 0),
    queued: devices.reduce((sum, { device }) => sum + device.queue.size, 0),
    messages_in: counters.messagesIn,
    messages_out: counters.messagesOut,
    duplicates: counters.duplicates,
    empty_messages: counters.emptyMessages,
    nacks: counters.nacks,
    undecryptable: counters.undecryptable,
    receipts_in: counters.receiptsIn,
    unknown_iqs: counters.unknownIqs,
    logins: counters.logins,
    pairings: counters.pairings,
    cpu_user_ms: Math.round(user / 1000),
    cpu_system_ms: Math.round(system / 1000),
    rss_bytes: process.memoryUsage.rss(),
  };
}
