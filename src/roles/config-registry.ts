import { z } from 'zod';

export const ROLES = ['all', 'api', 'worker', 'emulator', 'payment-sandbox', 'migrate', 'bootstrap'] as const;
export type Role = (typeof ROLES)[number];

/** What the documentation says about a variable. */
interface VariableDocs {
  /** Name in the environment. */
  env: string;
  section:
    | 'Process'
    | 'HTTP'
    | 'Database and queue'
    | 'Secrets'
    | 'Sign-in'
    | 'Worker'
    | 'Files'
    | 'Mail'
    | 'Payments'
    | 'Webhooks'
    | 'Sandbox'
    | 'Emulator';
  /** One sentence. */
  doc: string;
  /** Default, in words where it is computed. */
  default?: string;
  secret?: boolean;
  /** Roles that read it. */
  roles: readonly Role[];
}

export const variables = z.registry<VariableDocs>();
