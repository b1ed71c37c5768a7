import type { Context } from '../context.ts';
import type { Log } from '../log/log.ts';
import type { Principal } from './admission.ts';

/** The context of a request, for its use cases. */
export function contextOf(principal: Principal, requestId: string, log: Log): Context {
  const { accountId, mode, actor, scopes, logFields } = principal;
  let child: Log | undefined;
  return {
    accountId,
    mode,
    actor,
    scopes,
    requestId,
    // Made only where a use case logs: most requests never do.
    get log() {
      child ??= log.child({ request_id: requestId, ...logFields });
      return child;
    },
  };
}
