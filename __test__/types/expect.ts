type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when the argument's type is exactly `Expected`: neither wider nor narrower, and not `any`. */
export declare function expectType<Expected>(): <Actual>(
  value: Actual,
  ...verdict: Same<Actual, Expected> extends true ? [] : [mismatch: never]
) => void;
