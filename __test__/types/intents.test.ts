import {
  OptimizedIntentMatcher,
  ParallelIntentProcessor,
  type IntentMatcherStats,
  type ProcessedIntent,
} from 'hotpath';
import type { OptimizedIntentMatcher as FromArea } from 'hotpath/batch';
import { expectType } from './expect.js';

interface Command {
  id: string;
  pattern?: string;
  run(): void;
}

const commands: Command[] = [{ id: 'stop', pattern: '^stop$', run() {} }];
const matcher = new OptimizedIntentMatcher(commands, { cacheEntries: 10 });
expectType<Promise<Command | null>>()(matcher.match('stop'));
expectType<Promise<Command[]>>()(matcher.matchAll('stop'));
expectType<Promise<Array<Command | null>>>()(matcher.matchMany(['stop']));
expectType<IntentMatcherStats>()(matcher.stats);
expectType<typeof matcher>()(matcher as FromArea<Command>);
// @ts-expect-error a number is no pattern
new OptimizedIntentMatcher([{ id: 1, pattern: 7 }]);
// @ts-expect-error nobody knows this option
new OptimizedIntentMatcher([], { cacheSize: 1 });

expectType<Promise<ProcessedIntent[]>>()(new ParallelIntentProcessor(matcher).processIntents(['stop']));
const lengths = new ParallelIntentProcessor((input: string) => input.length);
expectType<Promise<number[]>>()(lengths.processBatch(['stop'], 5));
// @ts-expect-error inputs are strings
lengths.processIntents([7]);
