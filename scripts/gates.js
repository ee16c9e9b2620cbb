'use strict';

// The gates of `npm test` and `npm run ready`. A gate is the npm script of the same name, and besides:
//   count, minimum   what its output must prove to have checked: the sum of the first groups of all matches of `count`
//   closing          lines of its output that are worth reading when all is well
//   canary, sign     a command that must fail, with output that matches `sign`: the gate can fail, so its silence counts
// Raise a minimum when you add tests; lowering one needs a reason in the commit message.

const RUST_CANARY = '--manifest-path __test__/canaries/rust/Cargo.toml';

/** @typedef {{ count?: RegExp, minimum?: number, closing?: RegExp, canary?: string, sign?: RegExp }} Gate */

/** @type {Record<string, Gate>} */
const gates = {
  'format:rust': { canary: `cargo fmt --check ${RUST_CANARY}`, sign: /Diff in .*canaries/ },
  'lint:rust': { canary: `cargo clippy ${RUST_CANARY} --all-targets -- -D warnings`, sign: /unneeded `return`/ },
  lint: {
    count: /^Checked (\d+) files/gm,
    minimum: 600,
    canary: 'biome lint --config-path=__test__/canaries/lint.biome.json __test__/canaries/lint.js',
    sign: /noUndeclaredVariables/,
  },
  typecheck: {
    count: /^Lines of JavaScript:\s+(\d+)/gm,
    minimum: 20_000,
    canary: 'tsc -p __test__/canaries/tsconfig.json',
    sign: /canary\.ts.*TS2322/,
  },
  'build:debug': {},
  'build:peers': {},
  'build:programs': {},
  'test:rust': {
    count: /^test result: ok\. (\d+) passed/gm,
    minimum: 440,
    closing: /^test result:/,
    canary: `cargo test ${RUST_CANARY}`,
    sign: /^test canary \.\.\. FAILED$/m,
  },
  'test:node': {
    count: /^ℹ pass (\d+)$/gm,
    minimum: 5000,
    closing: /^ℹ /,
    canary: 'node scripts/test-node.js __test__/canaries',
    sign: /^ℹ fail 1$/m,
  },
  'test:types': {
    count: /^types: (\d+) assertions/gm,
    minimum: 300,
    closing: /^types:/,
    canary: 'node scripts/test-types.js __test__/canaries',
    sign: /canary\.ts.*TS2322/,
  },
  'test:package': { count: /^ℹ pass (\d+)$/gm, minimum: 60, closing: /^ℹ / },
  build: {},
  'check:package': {
    count: /^(\d+) package checks passed$/gm,
    minimum: 10,
    closing: /package checks passed/,
    canary: 'publint --strict __test__/canaries/package',
    sign: /no-such-file/,
  },
  'bench:smoke': {},
};

module.exports = { gates };
