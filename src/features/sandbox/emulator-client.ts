import { z } from 'zod';
import { sandboxErrors } from './sandbox.errors.ts';

export interface EmulatorAddress {
  controlUrl: string;
  controlToken: string;
}

/** The emulator's control API, for one account's private network of virtual phones (its realm). */
export interface EmulatorClient {
  /**
   * @param path below the realm, e.g. `/phones`
   * @returns the answer's JSON, checked by the schema
   * @throws sandbox.* problems
   */
  call<T>(
    realm: string,
    request: { method: string; path: string; body?: unknown },
    schema: z.ZodType<T>,
  ): Promise<T>;
}

const TIMEOUT_MS = 20_000;

/** Codes of Node and undici. */
const NO_CONNECTION = new Set<unknown>([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

const problem = z.object({
  code: z.string(),
  detail: z.string().default(''),
  pointer: z.string().optional(),
});

const BY_STATUS = new Map([
  [404, sandboxErrors.notFound],
  [409, sandboxErrors.conflict],
  [422, sandboxErrors.invalid],
  [400, sandboxErrors.invalid],
]);

/** Speaks to the emulator, wherever it runs. */
export function createEmulatorClient({ controlUrl, controlToken }: EmulatorAddress): EmulatorClient {
  return {
    async call(realm, { method, path, body }, schema) {
      const response = await fetch(`${controlUrl}/v1/realms/${encodeURIComponent(realm)}${path}`, {
        method,
        headers: { authorization: `Bearer ${controlToken}`, 'content-type': 'application/json' },
        signal: AbortSignal.timeout(TIMEOUT_MS),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }).catch((cause: unknown) => {
        throw (isUnreached(cause) ? sandboxErrors.unavailable : sandboxErrors.noAnswer)({
          cause,
          retryAfter: 2,
        });
      });
      if (response.ok) return schema.parse(response.status === 204 ? undefined : await response.json());
      throw await refusalOf(response);
    },
  };
}

/** Whether no connection came about, so that nothing was asked. */
function isUnreached(error: unknown): boolean {
  return (
    error instanceof Error &&
    error.cause instanceof Error &&
    'code' in error.cause &&
    NO_CONNECTION.has(error.cause.code)
  );
}

async function refusalOf(response: Response): Promise<Error> {
  const parsed = problem.safeParse(await response.json().catch(() => undefined));
  const factory = BY_STATUS.get(response.status);
  if (factory === undefined || !parsed.success) {
    return sandboxErrors.noAnswer({
      cause: new Error(`emulator answered ${response.status}`),
      retryAfter: 2,
    });
  }
  const { detail, pointer } = parsed.data;
  return factory({ detail, ...(pointer !== undefined && { fields: [{ pointer, detail }] }) });
}
