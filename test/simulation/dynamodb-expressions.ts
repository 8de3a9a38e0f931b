import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import type { Item } from '../../lib/ledger/dynamodb/table.ts';

// The part of DynamoDB's expression language that the ledger uses:
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html

type Value = Item[string];

/** The names and values that an expression's placeholders stand for. */
export interface Bindings {
  ExpressionAttributeNames?: Record<string, string> | undefined;
  ExpressionAttributeValues?: Item | undefined;
}

/** A call that DynamoDB rejects as invalid. */
export class ValidationException extends DynamoDBServiceException {
  constructor(message: string) {
    super({ name: 'ValidationException', message, $fault: 'client', $metadata: { httpStatusCode: 400 } });
  }
}

const tokensOf = (text: string): string[] => text.match(/<=|>=|<>|[=<>+,()]|[:#\w.]+/g) ?? [];

class Parser {
  readonly #tokens: string[];
  readonly #names: Record<string, string>;
  readonly #values: Item;
  readonly #item: Item;

  constructor(text: string, { ExpressionAttributeNames = {}, ExpressionAttributeValues = {} }: Bindings, item: Item) {
    this.#tokens = tokensOf(text);
    this.#names = ExpressionAttributeNames;
    this.#values = ExpressionAttributeValues;
    this.#item = item;
  }

  condition(): boolean {
    let holds = this.#all();
    while (this.#take('OR')) holds = this.#all() || holds;
    return holds;
  }

  /** Applies the clauses to a copy of the item. Operands have the values from before the update. */
  update(): Item {
    const updated = { ...this.#item };
    const changed = new Set<string>();
    const copies = new Set<Item>();
    let clause: string | undefined;
    for (clause = this.#next(); clause; clause = this.#next())
      do {
        const path = this.#path(this.#next());
        if (changed.has(path.join('\n')))
          throw new ValidationException(`Two document paths overlap with each other: ${path}`);
        changed.add(path.join('\n'));
        const set = (value: Value | undefined) => assign(updated, path, value, copies);
        if (clause === 'REMOVE') set(undefined);
        else if (clause === 'ADD') set(sum(read(this.#item, path) ?? { N: '0' }, this.#value()));
        else if (clause === 'SET') {
          this.#expect('=');
          const first = this.#value();
          set(this.#take('+') ? sum(first, this.#value()) : first);
        } else throw new ValidationException(`the clause ${clause}`);
      } while (this.#take(','));
    return updated;
  }

  #all(): boolean {
    let holds = this.#one();
    while (this.#take('AND')) holds = this.#one() && holds;
    return holds;
  }

  #one(): boolean {
    if (this.#take('(')) {
      const holds = this.condition();
      this.#expect(')');
      return holds;
    }
    for (const [name, expected] of [
      ['attribute_exists', true],
      ['attribute_not_exists', false],
    ] as const)
      if (this.#take(name)) {
        this.#expect('(');
        const exists = read(this.#item, this.#path(this.#next())) !== undefined;
        this.#expect(')');
        return exists === expected;
      }
    const left = this.#operand();
    const comparison = this.#next();
    const right = this.#operand();
    if (left === undefined || right === undefined) return false;
    return compared(scalar(left), String(comparison), scalar(right));
  }

  #value(): Value {
    const token = this.#tokens[0];
    const value = this.#operand();
    if (value === undefined) throw new ValidationException(`${token} has no value`);
    return value;
  }

  #operand(): Value | undefined {
    const token = this.#next();
    if (token === 'if_not_exists') {
      this.#expect('(');
      const held = read(this.#item, this.#path(this.#next()));
      this.#expect(',');
      const otherwise = this.#value();
      this.#expect(')');
      return held ?? otherwise;
    }
    if (token === 'size') {
      this.#expect('(');
      const held = read(this.#item, this.#path(this.#next()));
      this.#expect(')');
      return held && { N: String(Object.keys(held.M ?? {}).length) };
    }
    return token?.startsWith(':') ? this.#values[token] : read(this.#item, this.#path(token));
  }

  #path(token: string | undefined): string[] {
    return String(token)
      .split('.')
      .map((name) => {
        const meant = name.startsWith('#') ? this.#names[name] : name;
        if (!meant) throw new ValidationException(`the name ${name}`);
        return meant;
      });
  }

  #next(): string | undefined {
    return this.#tokens.shift();
  }

  #take(token: string): boolean {
    if (this.#tokens[0] !== token) return false;
    this.#tokens.shift();
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw new ValidationException(`${token} is missing before ${this.#tokens[0]}`);
  }
}

const read = (item: Item, [name = '', ...rest]: string[]): Value | undefined => {
  const value = item[name];
  return rest.length === 0 ? value : value?.M && read(value.M, rest);
};

/** Sets the path in the item. Copies each map on the way, except those that are copies already. */
function assign(item: Item, [name = '', ...rest]: string[], value: Value | undefined, copies: Set<Item>): void {
  if (rest.length === 0) {
    if (value === undefined) delete item[name];
    else item[name] = value;
    return;
  }
  const map = item[name]?.M;
  if (!map) throw new ValidationException(`the path ${name}.${rest.join('.')} has no map to lie in`);
  const copy = copies.has(map) ? map : { ...map };
  copies.add(copy);
  item[name] = { M: copy };
  assign(copy, rest, value, copies);
}

const sum = (a: Value, b: Value): Value => ({ N: String(Number(a.N) + Number(b.N)) });

const scalar = (value: Value): string | number => (value.N === undefined ? String(value.S) : Number(value.N));

function compared(left: string | number, comparison: string, right: string | number): boolean {
  switch (comparison) {
    case '=':
      return left === right;
    case '<>':
      return left !== right;
    case '<':
      return left < right;
    case '<=':
      return left <= right;
    case '>':
      return left > right;
    case '>=':
      return left >= right;
    default:
      throw new ValidationException(`the comparison ${comparison}`);
  }
}

export const holds = (condition: string | undefined, bindings: Bindings, item: Item | undefined): boolean =>
  condition === undefined || new Parser(condition, bindings, item ?? {}).condition();

/** Returns the item after the update, without changing the given one. */
export const updated = (update: string, bindings: Bindings, item: Item): Item =>
  new Parser(update, bindings, item).update();
