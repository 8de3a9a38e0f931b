import type { Item } from '../../lib/ledger/dynamodb/table.ts';
import { ValidationException } from './dynamodb-expressions.ts';

// The limits of DynamoDB that the ledger could reach.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html

const expressionBytes = 4_096;
const operators = 300;
const itemBytes = 400 * 1_024;
const writeUnitBytes = 1_024;
const readUnitBytes = 4_096;

/**
 * Units per second of one item. They are the limits of its partition. DynamoDB keeps up to 300 s of a table's unused
 * capacity for bursts, but no burst exceeds the limits of a partition. So here an item saves up one second.
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
 */
const writeUnitsPerSecond = 1_000;
const readUnitsPerSecond = 3_000;

/** @throws ValidationException when the expression is too long or has too many operators */
export function requireExpressionInLimits(expression: string | undefined): void {
  if (expression === undefined) return;
  const size = Buffer.byteLength(expression);
  if (size > expressionBytes)
    throw new ValidationException(
      `Expression size has exceeded the maximum allowed size; expression size: ${size} bytes`,
    );
  // Counts each assignment, comparison, function, logical operator and further path.
  const count = expression.match(/<=|>=|<>|[=<>+,(]|\b(?:AND|OR|NOT)\b/g)?.length ?? 0;
  if (count > operators)
    throw new ValidationException(`Too many operators in the expression; the limit is ${operators}`);
}

/**
 * Cached sizes, because the size of an item with many reservations takes long to compute. No item is changed in place.
 */
const sizes = new WeakMap<Item, number>();

/**
 * Returns the size of an item in bytes:
 * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
 */
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

/** Returns the units of a write: one for each KiB of the larger of the item before and after it. */
export const writeUnitsOf = (before: Item | undefined, after: Item | undefined): number =>
  Math.max(1, ...[before, after].map((item) => (item ? Math.ceil(sizeOf(item) / writeUnitBytes) : 0)));

/** Returns the units of a read: one for each 4 KiB, half as much if the read may be out of date. */
export const readUnitsOf = (item: Item | undefined, isConsistent: boolean): number =>
  Math.max(1, item ? Math.ceil(sizeOf(item) / readUnitBytes) : 0) * (isConsistent ? 1 : 0.5);

/** What each item has left of the units that it gets per second. */
class Units {
  /** The units that all items have used. */
  used = 0;
  readonly #perSecond: number;
  readonly #items = new Map<string, { left: number; at: number }>();

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Uses all of the units, or none and returns false when one of the items has too few left. */
  use(wanted: { name: string; units: number }[], now: number): boolean {
    const left = wanted.map(({ name, units }) => {
      const { left, at } = this.#items.get(name) ?? { left: this.#perSecond, at: now };
      return Math.min(this.#perSecond, left + ((now - at) / 1_000) * this.#perSecond) - units;
    });
    if (left.some((each) => each < 0)) return false;
    for (const [i, { name, units }] of wanted.entries()) {
      this.#items.set(name, { left: left[i] as number, at: now });
      this.used += units;
    }
    return true;
  }
}

export const newWriteUnits = (): Units => new Units(writeUnitsPerSecond);
export const newReadUnits = (): Units => new Units(readUnitsPerSecond);
