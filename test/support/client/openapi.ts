import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** The parts of the OpenAPI document that the tests need. */
export interface OpenApi {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, unknown>;
    responses: Record<string, Response>;
    headers: Record<string, Header>;
  };
}

interface Operation {
  operationId?: string;
  description?: string;
  parameters?: { in: string; name: string }[];
  responses: Record<string, Response>;
}

interface Header {
  $ref?: string;
  required?: boolean;
}

interface Response {
  $ref?: string;
  headers?: Record<string, Header>;
  content?: Record<string, { schema: unknown }>;
}

/** A received response. */
export interface Received {
  method: string;
  /** Relative to the base path, without the query. */
  path: string;
  status: number;
  headers: Headers;
  /** The parsed JSON, or the text if it is not JSON. */
  body: unknown;
}

/** RFC 3339 in UTC with milliseconds: the contract's only form of a time. */
export const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const escapePointer = (name: string) => encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'));

/** Returns the component that an object refers to, or the object itself. */
const componentOf = <Component extends { $ref?: string }>(components: Record<string, Component>, object: Component) =>
  components[object.$ref?.split('/').at(-1) ?? ''] ?? object;

/** Returns a response of an operation, which may be a reference to a component. */
export const responseOf = ({ components }: OpenApi, response: Response): Response =>
  componentOf(components.responses, response);

/**
 * Returns the schemas, each without members that it does not document. In the document they are open, because later
 * versions may add members; but this version must return none that it does not document. Ajv derives the mapping of a
 * discriminator itself, and refuses a given one.
 */
function closed<Schemas>(schemas: Schemas): Schemas {
  return JSON.parse(JSON.stringify(schemas), (key, value) => {
    if (key === 'discriminator') return { propertyName: value.propertyName };
    return value?.type === 'object' && value.properties ? { additionalProperties: false, ...value } : value;
  });
}

/** Checks responses against the OpenAPI document that the deployment serves. */
export class OpenApiCheck {
  readonly #document: OpenApi;
  readonly #ajv: Ajv2020;
  readonly #validators = new Map<string, ValidateFunction>();
  /** The path templates with their patterns, those with the fewest parameters first. */
  readonly #templates: { template: string; pattern: RegExp }[];

  constructor(document: OpenApi) {
    this.#document = document;
    this.#ajv = new Ajv2020({
      strict: false,
      allErrors: true,
      discriminator: true,
      formats: { 'date-time': timestamp },
    });
    this.#ajv.addSchema({ $id: 'openapi', ...document, components: closed(document.components) });
    this.#templates = Object.keys(document.paths)
      .sort((a, b) => a.split('{').length - b.split('{').length)
      .map((template) => ({
        template,
        pattern: new RegExp(`^${template.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`),
      }));
  }

  /** Returns how the response differs from its documentation, or undefined when it does not. */
  fault(received: Received): string | undefined {
    const { method, path, status } = received;
    const template = this.#templates.find(({ pattern }) => pattern.test(path))?.template;
    const known = template === undefined ? undefined : this.#document.paths[template];
    const name = method === 'HEAD' ? 'get' : method.toLowerCase();
    const operation = known?.[name];
    // The document describes operations only. Every other request is a preflight or gets a 404 or a 405.
    if (!operation) return this.#undocumented(received, template !== undefined);
    const documented = operation.responses[status];
    if (!documented) return `${status} is not documented for ${name} ${template}`;
    const pointer = documented.$ref?.slice(1) ?? `/paths/${escapePointer(template ?? '')}/${name}/responses/${status}`;
    const response = responseOf(this.#document, documented);
    for (const [header, described] of Object.entries(response.headers ?? {}))
      if (componentOf(this.#document.components.headers, described).required && !received.headers.has(header))
        return `the documented header ${header} is missing`;
    if (method === 'HEAD') return undefined;
    return this.#contentFault(received, response, pointer);
  }

  #undocumented({ method, status, headers, body }: Received, isRoute: boolean): string | undefined {
    const isPreflight = method === 'OPTIONS' && headers.has('access-control-allow-methods');
    const expected = isPreflight || (isRoute && method === 'OPTIONS') ? 204 : isRoute ? 405 : 404;
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
    if (validate(body)) return undefined;
    const undocumented = validate.errors?.find(({ keyword }) => keyword === 'additionalProperties');
    if (undocumented)
      return `the body has the undocumented member ${undocumented.instancePath}/${undocumented.params.additionalProperty}`;
    return this.#ajv.errorsText(validate.errors, { dataVar: 'the body' });
  }
}
