import type { Item } from '../../lib/ledger/dynamodb-table.ts';
import { ValidationException } from './dynamodb-expressions.ts';

// DynamoDB's limits, as far as the ledger can reach them.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html

const expressionBytes = 4_096;
const operators = 300;
const itemBytes = 400 * 1_024;
const unitBytes = 1_024;

/**
 * Write units a second that one item takes, because a partition does. DynamoDB keeps up to 300 s of a table's unused
 * capacity for bursts, but no burst lifts a partition above its 1,000; here an item has one second's worth.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
 */
const unitsPerSecond = 1_000;

/** @throws ValidationException when DynamoDB rejects the expression whatever the item holds */
export function requireExpressionInLimits(expression: string | undefined): void {
  if (expression === undefined) return;
  const size = Buffer.byteLength(expression);
  if (size > expressionBytes)
    throw new ValidationException(
      `Expression size has exceeded the maximum allowed size; expression size: ${size} bytes`,
    );
  // Each path of a REMOVE counts, so does each assignment, comparison, function and logical operator.
  const count = expression.match(/<=|>=|<>|[=<>+,(]|\b(?:AND|OR|NOT)\b/g)?.length ?? 0;
  if (count > operators)
    throw new ValidationException(`Too many operators in the expression; the limit is ${operators}`);
}

/** Sizes that were computed: an item is never changed in place, and one that holds many claims takes a while. */
const sizes = new WeakMap<Item, number>();

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
export function sizeOf(item: Item): number {
  const known = sizes.get(item);
  if (known !== undefined) return known;
  const size = Object.entries(item).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + sizeOfValue(value),
    0,
  );
  sizes.set(item, size);
  return size;
}

function sizeOfValue(value: Item[string]): number {
  if (value.S !== undefined) return Buffer.byteLength(value.S);
  if (value.N !== undefined) return Math.ceil(value.N.replace(/^-|\.|0+$/g, '').length / 2) + 1;
  if (value.M !== undefined) return 3 + Object.keys(value.M).length + sizeOf(value.M);
  return 1;
}

/** @throws ValidationException */
export function requireItemInLimits(item: Item): void {
  if (sizeOf(item) > itemBytes) throw new ValidationException('Item size has exceeded the maximum allowed size');
}

/** A write costs a unit for each kibibyte of the larger of the items before and after it. */
export const unitsOf = (before: Item | undefined, after: Item | undefined): number =>
  Math.max(1, ...[before, after].map((item) => (item ? Math.ceil(sizeOf(item) / unitBytes) : 0)));

/** The write units of each item. */
export class WriteUnits {
  readonly #buckets = new Map<string, { units: number; at: number }>();

  /** Spends the units, or returns false when the item has not so many left. */
  spend(name: string, units: number): boolean {
    const now = Date.now();
    const known = this.#buckets.get(name);
    const left = known
      ? Math.min(unitsPerSecond, known.units + ((now - known.at) / 1_000) * unitsPerSecond)
      : unitsPerSecond;
    if (left < units) return false;
    this.#buckets.set(name, { units: left - units, at: now });
    return true;
  }
}
