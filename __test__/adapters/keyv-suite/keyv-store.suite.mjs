// Keyv's published compliance suite over KeyvStore. It is written for vitest; keyv-store.test.js runs it.

import keyvTestSuite, { keyvIteratorTests } from '@keyv/test-suite';
import { KeyvStore } from 'hotpath/adapters';
import Keyv from 'keyv';
import * as test from 'vitest';

// One cache behind all stores: what the suite sets through one Keyv, it reads through the next.
const { cache } = new KeyvStore();
const store = () => new KeyvStore({ cache });

keyvTestSuite(test, Keyv, store);
keyvIteratorTests(test, Keyv, store);
