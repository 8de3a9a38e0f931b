import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** What a test needs of the OpenAPI document. */
export interface OpenApi {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

interface Operation {
  operationId?: string;
  responses: Record<string, Response>;
}

interface Response {
  headers?: Record<string, { required?: boolean }>;
  content?: Record<string, { schema: unknown }>;
}

/** An answer as it came. */
export interface Received {
  method: string;
  /** Relative to the base path, without the query. */
  path: string;
  status: number;
  headers: Headers;
  /** Parsed where it is JSON, otherwise the text. */
  body: unknown;
}

/** RFC 3339 in UTC with milliseconds: the one form of a time in the contract. */
export const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const escapePointer = (name: string) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));

/** Holds answers against the OpenAPI document that the deployment itself serves. */
export class OpenApiCheck {
  readonly #document: OpenApi;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();
  /** Templates with their patterns, the most fixed first. */
  readonly #templates: { template: string; pattern: RegExp }[];

  constructor(document: OpenApi) {
    this.#document = document;
    this.#ajv = new Ajv2020({ strict: false, formats: { 'date-time': timestamp } });
    this.#ajv.addSchema({ $id: 'openapi', ...document });
    this.#templates = Object.keys(document.paths)
      .sort((a, b) => a.split('{').length - b.split('{').length)
      .map((template) => ({
        template,
        pattern: new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
      }));
  }

  /** What about the answer is not as documented; undefined when all is. */
  fault(received: Received): string | undefined {
    const { method, path, status } = received;
    const template = this.#templates.find(({ pattern }) => pattern.test(path))?.template;
    const known = template === undefined ? undefined : this.#document.paths[template];
    const name = method === 'HEAD' ? 'get' : method.toLowerCase();
    const operation = known?.[name];
    // The document describes operations; what is none is a preflight or one of these problems.
    if (!operation) return this.#undocumented(received, template !== undefined);
    const response = operation.responses[status];
    if (!response) return `${status} is not documented for ${name} ${template}`;
    for (const [header, { required }] of Object.entries(response.headers ?? {}))
      if (required && !received.headers.has(header)) return `the documented header ${header} is missing`;
    if (method === 'HEAD') return undefined;
    return this.#contentFault(
      received,
      response,
      `/paths/${escapePointer(template ?? '')}/${name}/responses/${status}`,
    );
  }

  #undocumented({ method, status, body }: Received, isRoute: boolean): string | undefined {
    const expected = !isRoute ? 404 : method === 'OPTIONS' ? 204 : 405;
    if (status !== expected) return `${method} of something undocumented is ${status}, not ${expected}`;
    return method === 'HEAD' || status === 204 ? undefined : this.#schemaFault('/components/schemas/Problem', body);
  }

  #contentFault({ headers, body }: Received, { content }: Response, pointer: string): string | undefined {
    const type = headers.get('content-type')?.split(';')[0];
    if (!content) return body === '' ? undefined : 'a body came where none is documented';
    if (!type || !content[type]) return `the content type ${type} is not documented`;
    return this.#schemaFault(`${pointer}/content/${escapePointer(type)}/schema`, body);
  }

  #schemaFault(pointer: string, body: unknown): string | undefined {
    let validate = this.#validators.get(pointer);
    if (!validate) {
      validate = this.#ajv.compile({ $ref: `openapi#${pointer}` });
      this.#validators.set(pointer, validate);
    }
    return validate(body) ? undefined : this.#ajv.errorsText(validate.errors, { dataVar: 'the body' });
  }
}
