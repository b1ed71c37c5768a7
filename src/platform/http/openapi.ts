import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import {
  type FastifyZodOpenApiOpts,
  fastifyZodOpenApiPlugin,
  fastifyZodOpenApiTransformers,
} from 'fastify-zod-openapi';

export interface ApiInfo {
  title: string;
  version: string;
  description: string;
}

/** Lets the page run its own files and styles, call the API it came from, and nothing else. */
const DOCS_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Collects the operations that are registered after it into an OpenAPI 3.1 document. */
export async function collectOpenApi(app: FastifyInstance, info: ApiInfo): Promise<void> {
  await app.register(fastifyZodOpenApiPlugin, { documentOpts: { override: tidySchema } });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info,
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          apiKey: {
            type: 'apiKey',
            in: 'header',
            name: 'X-API-Key',
            description: 'A key, `pk_test_…` or `pk_live_…`.',
          },
          bearer: {
            type: 'http',
            scheme: 'bearer',
            description:
              'The same key, or the token of a person who signed in. A person says by `Pingr-Account` which of their accounts they act for, where they have several, and by `Pingr-Mode` in which mode: `live` where it is not said.',
          },
        },
      },
    },
    ...fastifyZodOpenApiTransformers,
    transformObject: (document) => {
      const api = fastifyZodOpenApiTransformers.transformObject(document);
      describeParameters(api);
      return api;
    },
  });
}

/** Puts the description of a parameter that may be left out, which stands in its schema, where readers look for it. */
function describeParameters(document: { paths?: object | undefined }): void {
  for (const path of Object.values(document.paths ?? {})) {
    for (const { parameters = [] } of Object.values<{ parameters?: Parameter[] }>(path)) {
      for (const parameter of parameters) parameter.description ??= parameter.schema?.description;
    }
  }
}

interface Parameter {
  description?: string | undefined;
  schema?: { description?: string };
}

type Override = NonNullable<NonNullable<FastifyZodOpenApiOpts['documentOpts']>['override']>;

/**
 * Answers may grow, so their schemas allow more fields than they name; nobody needs the bounds of a double; and what may
 * be null is described where readers look, not in one of its two kinds.
 */
const tidySchema: Override = ({ jsonSchema, io }) => {
  if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  const [kind, ...others] = jsonSchema.anyOf?.filter(({ type }) => type !== 'null') ?? [];
  if (kind?.description !== undefined && others.length === 0) jsonSchema.description ??= kind.description;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
};

/** Serves the document at `/openapi.json` and a reference made of it, from local files, at `/docs`. */
export async function serveOpenApi(app: FastifyInstance): Promise<void> {
  let text = '';
  // Made before the first request, so that a schema that cannot be described ends the start.
  app.addHook('onReady', async () => {
    text = JSON.stringify(app.swagger());
  });
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    return reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache').send(text);
  });
  await app.register(async (docs) => {
    docs.addHook('onSend', async (_request, reply) => {
      reply.header('content-security-policy', DOCS_CSP).header('cache-control', 'no-cache');
    });
    await docs.register(swaggerUi, {
      routePrefix: '/docs',
      theme: { title: 'Pingr API reference' },
      uiConfig: { docExpansion: 'list', deepLinking: true, persistAuthorization: false },
    });
  });
}
