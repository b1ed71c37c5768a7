import type { FieldProblem } from '../../lib/errors.ts';
import { rangesBeyond } from './address-ranges.ts';
import { apiKeyErrors } from './api-keys.errors.ts';
import type { ApiKeyRow } from './api-keys.model.ts';

/** When a key ends and from where it works; null for never and everywhere. */
export type KeyLimits = Pick<ApiKeyRow, 'expires_at' | 'allowed_ips'>;

/** What a person, or the program itself, is bound by. */
export const NO_LIMITS: KeyLimits = { expires_at: null, allowed_ips: null };

/**
 * What a new key is bound by: what was asked for, and where nothing was, what binds the caller.
 * @throws api_key.limits_forbidden where more was asked for than the caller has
 */
export function limitsWithin(caller: KeyLimits, wanted: Partial<KeyLimits>): KeyLimits {
  const limits = {
    expires_at: wanted.expires_at ?? caller.expires_at,
    allowed_ips: wanted.allowed_ips ?? caller.allowed_ips,
  };
  refuseWiderLimits(caller, limits);
  return limits;
}

/** @throws api_key.limits_forbidden where the limits are wider than the caller's */
export function refuseWiderLimits(caller: KeyLimits, limits: KeyLimits): void {
  const fields = [...laterEnd(caller, limits), ...moreAddresses(caller, limits)];
  if (fields.length > 0) throw apiKeyErrors.limitsForbidden({ fields });
}

function laterEnd({ expires_at: end }: KeyLimits, { expires_at: wanted }: KeyLimits): FieldProblem[] {
  if (end === null || (wanted !== null && wanted <= end)) return [];
  return [{ pointer: '/expires_at', detail: `must be at most ${end.toISOString()}, when the caller ends` }];
}

function moreAddresses({ allowed_ips: held }: KeyLimits, { allowed_ips: wanted }: KeyLimits): FieldProblem[] {
  if (held === null) return [];
  const beyond = wanted === null ? ['every address'] : rangesBeyond(held, wanted);
  if (beyond.length === 0) return [];
  return [{ pointer: '/allowed_ips', detail: `allows ${beyond.join(', ')}, which the calling key does not` }];
}
