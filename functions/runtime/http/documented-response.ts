import type { Document } from '../../../lib/api/documents.ts';
import type { EventStream } from '../../../lib/api/feed.ts';
import type { DocumentedResponse } from '../../../lib/api/responses.ts';
import type { DocumentOperation, JsonOperation, OperationId, StreamOperation } from '../../../lib/api/routes.ts';

/** The type of a member in a union of objects, not all of which have it. */
type MemberOf<Value, Name extends PropertyKey> = Value extends unknown
  ? Name extends keyof Value
    ? Value[Name]
    : never
  : never;

type MemberNames<Value> = Value extends unknown ? keyof Value : never;

/**
 * The documented type, with every other member of the actual type forbidden, at all depths. Without it, TypeScript
 * reports an extra member only in an object literal, and not in a value that comes from a function or a spread. An
 * object that is documented to have any members, such as metadata, is not restricted.
 */
export type Exact<Actual, Documented> = Documented extends readonly (infer DocumentedItem)[]
  ? readonly Exact<Actual extends readonly (infer Item)[] ? Item : never, DocumentedItem>[]
  : Documented extends object
    ? string extends keyof Documented
      ? Documented
      : { [Name in keyof Documented]: Exact<MemberOf<Actual, Name>, Documented[Name]> } & {
          [Name in Exclude<MemberNames<Actual>, keyof Documented>]?: never;
        }
    : Documented;

interface JsonResponse<Id extends JsonOperation, Json> {
  json: Json & Exact<Json, DocumentedResponse<Id>>;
  headers?: Record<string, string>;
}

/**
 * What an operation's `run` must return. `Json` is the type of what it actually returns; {@link Exact} compares that
 * with the documented type.
 */
export type ResponseOf<Id extends OperationId, Json> = Id extends JsonOperation
  ? JsonResponse<Id, Json> | (Id extends StreamOperation ? { stream: EventStream; json?: never } : never)
  : Id extends DocumentOperation
    ? { document: Document }
    : Record<string, never>;
