import type { IncomingHttpHeaders } from 'node:http';
import type { Access, Wanted } from './admission.ts';
import { authErrors } from './http.errors.ts';

const BEARER = /^bearer +(\S+) *$/i;

/**
 * The API key or sign-in token of a request, from `X-API-Key` or `Authorization: Bearer` (RFC 6750 §2.1).
 * @throws auth.key_missing, or auth.keys_conflict where the two differ
 */
export function readCredential(headers: IncomingHttpHeaders): string {
  const header = headers['x-api-key'];
  const own = typeof header === 'string' ? header.trim() : header?.join(',');
  const bearer = BEARER.exec(headers.authorization ?? '')?.[1];
  if (own && bearer && own !== bearer) throw authErrors.conflict();
  const key = own || bearer;
  if (key === undefined || key === '') throw authErrors.missing();
  return key;
}

/** What a person asks to act for, in headers of their own. */
export function readWanted(headers: IncomingHttpHeaders, access: Access): Wanted {
  return { access, account: one(headers['pingr-account']), mode: one(headers['pingr-mode']) };
}

function one(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header.trim() : header?.join(',');
}
