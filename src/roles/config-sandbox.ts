import { z } from 'zod';
import { variables } from './config-registry.ts';
import { bytes32, hex32, port } from './config-values.ts';

/** The variables of test mode: where the sandbox is, and how the emulator runs. */
export const sandboxShape = {
  sandboxWsUrl: z
    .url({ protocol: /^wss?$/ })
    .optional()
    .register(variables, {
      env: 'SANDBOX_WS_URL',
      section: 'Sandbox',
      doc: 'Server that speaks the multi-device protocol for test sessions; where set, `all` starts no emulator.',
      default: "in `all`: the emulator's; else required for a test worker",
      roles: ['all', 'worker'],
    }),
  sandboxRootKey: hex32.optional().register(variables, {
    env: 'SANDBOX_ROOT_KEY',
    section: 'Sandbox',
    doc: "That server's root public key, 32 bytes as hex.",
    default: "in `all`: the emulator's",
    roles: ['all', 'worker'],
  }),
  sandboxMediaCa: z
    .string()
    .optional()
    .register(variables, {
      env: 'SANDBOX_MEDIA_CA',
      section: 'Sandbox',
      doc: "PEM file of the authority behind that server's media hosts.",
      default: 'public authorities alone',
      roles: ['all', 'worker'],
    }),
  sandboxControlUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .register(variables, {
      env: 'SANDBOX_CONTROL_URL',
      section: 'Sandbox',
      doc: "The emulator's control API, for the calls under `/v1/sandbox`.",
      default: "in `all`: the emulator's; without it these calls answer 503",
      roles: ['all', 'api', 'worker'],
    }),
  sandboxControlToken: z
    .string()
    .min(16)
    .optional()
    .register(variables, {
      env: 'SANDBOX_CONTROL_TOKEN',
      section: 'Sandbox',
      doc: 'Bearer token of the control API, the same for the emulator and those who call it.',
      default: 'for the emulator: made at each start',
      secret: true,
      roles: ['all', 'api', 'worker', 'emulator'],
    }),

  emulatorHost: z
    .string()
    .default('127.0.0.1')
    .register(variables, {
      env: 'EMULATOR_HOST',
      section: 'Emulator',
      doc: 'Address that the emulator listens on.',
      default: '127.0.0.1',
      roles: ['all', 'emulator'],
    }),
  emulatorPort: port.default(3010).register(variables, {
    env: 'EMULATOR_PORT',
    section: 'Emulator',
    doc: 'Port for WhatsApp clients (WebSocket).',
    default: '3010; in `all`: a free one',
    roles: ['all', 'emulator'],
  }),
  emulatorControlPort: port.default(3011).register(variables, {
    env: 'EMULATOR_CONTROL_PORT',
    section: 'Emulator',
    doc: 'Port of the control API.',
    default: '3011; in `all`: a free one',
    roles: ['all', 'emulator'],
  }),
  emulatorStateDir: z
    .string()
    .optional()
    .register(variables, {
      env: 'EMULATOR_STATE_DIR',
      section: 'Emulator',
      doc: 'Directory for keys, virtual phones and undelivered messages.',
      default: '`emulator` in the data directory',
      roles: ['all', 'emulator'],
    }),
  emulatorRootPrivateKey: bytes32.optional().register(variables, {
    env: 'EMULATOR_ROOT_PRIVATE_KEY',
    section: 'Emulator',
    doc: 'Private key behind the certificates, 32 bytes as hex or base64; a test worker that has it needs no SANDBOX_ROOT_KEY.',
    default: 'made at the first start and kept in the state directory',
    secret: true,
    roles: ['all', 'worker', 'emulator'],
  }),
} as const;
