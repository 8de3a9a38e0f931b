/** Builds a value when it is first asked for: functions that never need it do not pay for it on a cold start. */
export const once = <Value>(make: () => Value): (() => Value) => {
  let made: Value | undefined;
  return () => {
    made ??= make();
    return made;
  };
};
