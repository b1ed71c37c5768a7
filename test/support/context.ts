import { toId } from '../../src/lib/ids.ts';
import type { Mode } from '../../src/lib/mode.ts';
import type { Context } from '../../src/platform/context.ts';
import { silentLog } from './log.ts';

/** A caller with every scope. */
export function contextOf(accountId: string, mode: Mode = 'test'): Context {
  return {
    accountId,
    mode,
    actor: { type: 'system', name: 'test' },
    scopes: new Set(['*']),
    requestId: toId('request', accountId),
    log: silentLog,
  };
}
