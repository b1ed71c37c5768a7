import type { Clock } from '../../lib/clock.ts';
import type { Notices } from '../../platform/db/notices.ts';
import type { Log } from '../../platform/log/log.ts';
import { AccountFeed, type Subscription } from './account-feed.ts';
import type { EventReader } from './event-reader.ts';
import { EVENTS_CHANNEL } from './events.events.ts';
import type { EventScope } from './events.model.ts';

/** Passes new events to the streams of this process: one reading an account, however many streams it has. */
export interface EventHub {
  /** Resolves once every event after this moment is certain to reach the subscription. */
  subscribe(scope: EventScope): Promise<Subscription>;
  /** Stops reading. Streams end by their own signals. */
  close(): void;
}

export async function createEventHub(deps: {
  reader: EventReader;
  notices: Pick<Notices, 'listen'>;
  clock: Clock;
  log: Log;
}): Promise<EventHub> {
  const feeds = new Map<string, AccountFeed>();
  const closed = new AbortController();

  await deps.notices.listen(EVENTS_CHANNEL, (accountId) => {
    for (const feed of feeds.values()) {
      if (accountId === undefined || feed.scope.accountId === accountId) feed.wake();
    }
  });

  return {
    subscribe(scope) {
      const key = `${scope.accountId}/${scope.mode}`;
      let feed = feeds.get(key);
      if (feed === undefined) {
        feed = new AccountFeed({ ...deps, scope, closed: closed.signal, onIdle: () => feeds.delete(key) });
        feeds.set(key, feed);
      }
      return feed.subscribe();
    },
    close() {
      closed.abort();
      for (const feed of feeds.values()) feed.wake();
    },
  };
}
