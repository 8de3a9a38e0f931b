import type { Compilable, CompiledQuery } from 'kysely';

/** Stands in a query for a value that each execution provides. */
class Placeholder {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/**
 * A query that kysely builds and compiles only once, at its first use. To build one for each execution takes five times
 * as long as SQLite takes to read a row.
 */
export class PreparedQuery<Values extends object, Row> {
  readonly #build: (values: Values) => Compilable<Row>;
  #compiled: CompiledQuery<Row> | undefined;

  /**
   * @param build returns the query. Instead of the values, it gets placeholders of the same names, which it may only
   *   pass to kysely
   */
  constructor(build: (values: Values) => Compilable<Row>) {
    this.#build = build;
  }

  /** Returns the query with values in the places of the placeholders. */
  with(values: Values): CompiledQuery<Row> {
    this.#compiled ??= this.#build(placeholders<Values>()).compile();
    const parameters = this.#compiled.parameters.map((parameter) =>
      parameter instanceof Placeholder ? values[parameter.name as keyof Values] : parameter,
    );
    return { ...this.#compiled, parameters };
  }
}

/** Returns an object that has a placeholder as each of its members. */
const placeholders = <Values extends object>(): Values =>
  new Proxy({}, { get: (_, name) => new Placeholder(String(name)) }) as Values;
