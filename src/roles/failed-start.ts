import { ConfigError } from './config.ts';

/** The variables that say where a role listens. */
const PORT_VARIABLES: Record<string, string> = {
  api: 'PORT',
  emulator: 'EMULATOR_PORT or EMULATOR_CONTROL_PORT',
  'payment-sandbox': 'PAYMENT_SANDBOX_PORT',
};

/**
 * What a role that could not start tells whoever started it: a sentence where a setting is to be mended, else the stack.
 * @param role as on the command line
 */
export function explainFailedStart(role: string, error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof ConfigError) return error.message;
  if ('code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    const variable = PORT_VARIABLES[role] ?? 'PORT';
    return `Port ${String(error.port)} is in use. Stop what listens there, or set ${variable} to another.`;
  }
  if (codeOf(error.cause) === 'LEVEL_LOCKED') {
    return 'Another emulator uses this directory. Stop that one, or set EMULATOR_STATE_DIR to another.';
  }
  return error.stack ?? error.message;
}

function codeOf(cause: unknown): unknown {
  return cause instanceof Error && 'code' in cause ? cause.code : undefined;
}
