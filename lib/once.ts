/**
 * Returns a function that builds the value on its first call and returns the same value from then on. A Lambda function
 * that never needs the value does not spend time on it at a cold start.
 */
export const once = <Value>(make: () => Value): (() => Value) => {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
