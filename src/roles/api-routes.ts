import './outcome-codes.ts';
import { randomBytes } from 'node:crypto';
import { accountRoutes } from '../features/accounts/accounts.routes.ts';
import { createAccountsService } from '../features/accounts/accounts.service.ts';
import { apiKeyRoutes } from '../features/api-keys/api-keys.routes.ts';
import { createApiKeysService } from '../features/api-keys/api-keys.service.ts';
import { createKeyHash } from '../features/api-keys/key-hash.ts';
import { createEventHub } from '../features/events/event-hub.ts';
import { createEventReader } from '../features/events/event-reader.ts';
import { eventRoutes } from '../features/events/events.routes.ts';
import { createEventsService } from '../features/events/events.service.ts';
import { messageRoutes } from '../features/messages/messages.routes.ts';
import { createMessagesService } from '../features/messages/messages.service.ts';
import { createEmulatorClient } from '../features/sandbox/emulator-client.ts';
import { sandboxRoutes } from '../features/sandbox/sandbox.routes.ts';
import { createSandboxService } from '../features/sandbox/sandbox.service.ts';
import { linkingRoutes, qrProblems } from '../features/sessions/linking.routes.ts';
import { createSessionChanges } from '../features/sessions/session-changes.ts';
import { sessionRoutes } from '../features/sessions/sessions.routes.ts';
import { createSessionsService } from '../features/sessions/sessions.service.ts';
import { newUuid } from '../lib/ids.ts';
import { systemClock } from '../lib/system-clock.ts';
import type { Route } from '../platform/http/route.ts';
import { createSessionWaker } from '../sessions-pool/wake.jobs.ts';
import type { ApiConfig } from './config.ts';
import type { Core } from './core.ts';
import { EVENT_DATA, eventSubjects } from './event-subjects.ts';
import type { Outbound } from './parts-outbound.ts';
import { openTriggerRoutes } from './parts-triggers.ts';
import { openWebhookRoutes } from './parts-webhooks.ts';

/** Builds every slice's service on its parts and lists all routes of the API. */
export async function openRoutes(core: Core, config: ApiConfig, outbound: Outbound): Promise<Route[]> {
  const { database, vault, jobs, log, notices, events } = core;
  const shared = { database, vault, newUuid, randomBytes, clock: systemClock, log, onFact: events.notify };
  const waker = createSessionWaker({ jobs, send: events.send, log });
  const changes = await createSessionChanges(notices);

  const sessions = createSessionsService({ ...shared, changes, waker });
  const messages = createMessagesService({ ...shared, waker });
  const reader = createEventReader({
    ...shared,
    loadMessages: messages.load,
    subjects: eventSubjects(core),
  });
  const hub = await core.lifecycle.open('event hub', () => createEventHub({ ...shared, reader, notices }), {
    close: (opened) => opened.close(),
  });
  const eventsService = createEventsService({ ...shared, reader, hub });
  return [
    ...accountRoutes(createAccountsService(shared)),
    ...apiKeyRoutes(
      createApiKeysService({ ...shared, hashKey: createKeyHash(config.apiKeyPepper) }),
      systemClock,
    ),
    ...sessionRoutes(sessions),
    ...linkingRoutes(sessions, changes),
    ...messageRoutes(messages),
    ...eventRoutes(eventsService, EVENT_DATA),
    ...openWebhookRoutes(core, outbound, eventsService),
    ...openTriggerRoutes(core, outbound),
    ...sandboxRoutes(createSandboxService({ emulator: emulatorOf(config), sessions }), qrProblems),
  ];
}

function emulatorOf({ sandboxControlUrl: controlUrl, sandboxControlToken: controlToken }: ApiConfig) {
  return controlUrl === undefined || controlToken === undefined
    ? undefined
    : createEmulatorClient({ controlUrl, controlToken });
}
