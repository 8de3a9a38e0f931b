/**
 * Returns a function that builds the value on its first call and returns the same value from then on. Functions that
 * never need the value do not pay for it on a cold start.
 */
export const once = <Value>(make: () => Value): (() => Value) => {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
