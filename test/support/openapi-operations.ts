import type { Json } from './api-client.ts';

/** An operation of `/openapi.json`, ready to be called. */
export interface Operation {
  /** `POST /v1/sessions/{id}/logout` */
  name: string;
  method: string;
  path: string;
  /** Names in the path: `id`, `phone`, … */
  params: string[];
  /** Scope that it says it needs. */
  scope: string | undefined;
  /** False where it says that no credential is needed. */
  guarded: boolean;
  /** For people who are signed in; keys are refused. */
  forPeople: boolean;
  /** Concerns both modes; test keys are refused. */
  wholeAccount: boolean;
  /** Smallest body that fits the schema, made of the examples. */
  body: Json;
}

/** Every operation that the document lists. */
export function operationsOf(document: Json): Operation[] {
  return Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.entries<Json>(methods).map(([method, operation]) => {
      const schema = operation.requestBody?.content?.['application/json']?.schema;
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        params: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? ''),
        scope: operation['x-required-scope'],
        guarded: operation.security.length > 0,
        wholeAccount: operation['x-whole-account'] === true,
        forPeople: !operation.security.some((way: Json) => way.apiKey),
        body: schema && exampleOf(schema, document),
      };
    }),
  );
}

/** A value that fits the schema: its example, or one made of its parts. Optional properties are left out. */
export function exampleOf(schema: Json, document: Json): Json {
  const part = (inner: Json) => exampleOf(inner, document);
  if (schema.$ref !== undefined) return part(document.components.schemas[schema.$ref.split('/').at(-1)]);
  const given = schema.example ?? schema.examples?.[0] ?? schema.const ?? schema.enum?.[0];
  if (given !== undefined) return given;
  const alternative = (schema.oneOf ?? schema.anyOf)?.[0];
  if (alternative !== undefined) return part(alternative);
  if (schema.allOf !== undefined) return Object.assign({}, ...schema.allOf.map(part));
  return madeOf(schema, part);
}

function madeOf(schema: Json, part: (inner: Json) => Json): Json {
  const required: string[] = schema.required ?? [];
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(required.map((name) => [name, part(schema.properties[name])]));
    case 'array':
      return [part(schema.items)];
    case 'boolean':
      return true;
    case 'string':
      return 'text';
    default:
      return 1;
  }
}
