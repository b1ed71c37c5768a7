import { cert, initializeApp } from 'firebase-admin/app';
import { getAuth } from 'firebase-admin/auth';
import { z } from 'zod';
import type { FindFirebaseUser } from './firebase-revocation.ts';

const accountSchema = z.object({ project_id: z.string(), client_email: z.string(), private_key: z.string() });

/**
 * Looks users up by the Admin SDK.
 * @param serviceAccount the JSON of a service account's key file
 * @throws Error where it is none
 */
export function openFirebaseAdmin(serviceAccount: string): FindFirebaseUser {
  const { project_id, client_email, private_key } = accountSchema.parse(JSON.parse(serviceAccount));
  const credential = cert({ projectId: project_id, clientEmail: client_email, privateKey: private_key });
  const auth = getAuth(initializeApp({ credential, projectId: project_id }, 'pingr'));
  return async (uid) => {
    try {
      const { disabled, tokensValidAfterTime } = await auth.getUser(uid);
      return {
        disabled,
        validSince: tokensValidAfterTime === undefined ? undefined : new Date(tokensValidAfterTime),
      };
    } catch (error) {
      if (isUserNotFound(error)) return undefined;
      throw error;
    }
  };
}

function isUserNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'auth/user-not-found';
}
