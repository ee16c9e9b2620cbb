import type { ForeignTier } from './multi-level-cache.js';

/** A tier to be tested. */
export interface OpenedTier {
  tier: ForeignTier;
  /** What it takes durations in. @default what `MultiLevelCache` would take it for */
  ttlUnit?: 's' | 'ms';
  /** Called after each case. */
  close?(): unknown;
}

/** One thing that a tier has to do. */
export interface TierCase {
  title: string;
  /** @param open makes an empty tier; called once. Rejects with an `AssertionError` if the tier falls short. */
  run(open: () => OpenedTier | Promise<OpenedTier>): Promise<void>;
}

/** What `MultiLevelCache` asks of a tier, case by case, for any test runner. */
export function tierContract(): TierCase[];

/**
 * Runs {@link tierContract} with a test runner.
 * @param name what the tier is called in the report
 * @param open makes an empty tier; called once for each case
 * @param runner anything with `describe` and `it`
 * @example
 * ```js
 * const { testTier } = require('hotpath/testing');
 * testTier('my tier', () => ({ tier: new MyTier(), close: () => {} }));
 * ```
 */
export function testTier(
  name: string,
  open: () => OpenedTier | Promise<OpenedTier>,
  runner?: {
    describe(title: string, body: () => void): unknown;
    it(title: string, body: () => Promise<void>): unknown;
  },
): unknown;
