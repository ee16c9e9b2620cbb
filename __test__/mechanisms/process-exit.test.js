'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const { runInChild, startChild, settled } = require('../support');

/** Runs a body in a process of its own, which must end by itself: being killed at the limit is a failure. */
async function ends(body, { code = 0, ...options } = {}) {
  const ended = await runInChild(body, { timeoutMs: 30_000, ...options });
  assert.equal(ended.signal, null, ended.stderr);
  assert.equal(ended.code, code, ended.stderr);
  return ended;
}

describe('a process ends by itself', () => {
  it('after nothing but loading the package', async () => {
    const { said, stderr } = await ends(({ load, say }) => say(typeof load().MemoryCache));
    assert.deepEqual(said, ['function']);
    assert.equal(stderr, '');
  });

  it('with open caches, listeners, timers of entries, and more', async () => {
    const { said, stderr } = await ends(async ({ MemoryCache, say }) => {
      const caches = [
        {},
        { name: 'named' },
        { name: 'named' },
        { nearCache: false, ttlMs: 60_000, idleMs: 30_000 },
        { compression: true, evictionPolicy: 'lru' },
      ].map((options) => new MemoryCache(options));
      for (const cache of caches) {
        for (const event of ['set', 'delete', 'expire', 'evict', 'clear']) cache.on(event, () => {});
        for (let i = 0; i < 500; i += 1)
          cache.set(`k${i}`, { i, text: 'text '.repeat(300) }, { ttlMs: 10 + i * 100, tags: ['t'] });
        await cache.getOrSet('loaded', async () => 1);
      }
      say(caches.map((cache) => cache.has('loaded')));
    });
    assert.deepEqual(said, [[true, true, true, true, true]]);
    assert.equal(stderr, '');
  });

  it('while entries expire and nobody waits for it', async () => {
    await ends(({ MemoryCache }) => {
      const cache = new MemoryCache();
      cache.on('expire', () => {});
      for (let i = 0; i < 2_000; i += 1) cache.set(`k${i}`, i, { ttlMs: 1 + (i % 50) });
    });
  });

  it('when a promise is pending that nothing can settle', async () => {
    const { said } = await ends(({ MemoryCache, say }) => {
      const cache = new MemoryCache();
      cache.getOrSet('k', () => new Promise(() => {})).then(() => say('impossible'));
      cache.getOrSet('k', () => 1).then(() => say('impossible'));
      say('pending');
    });
    assert.deepEqual(said, ['pending']);
  });

  it('after closed caches', async () => {
    await ends(async ({ MemoryCache }) => {
      for (let i = 0; i < 50; i += 1) {
        const cache = new MemoryCache({ name: i % 2 ? 'named' : undefined });
        cache.on('set', () => {});
        cache.set('k', i, 1);
        await cache.getOrSet('l', () => i);
        cache.close();
      }
    });
  });

  it('from an ES module', async () => {
    const { said } = await ends(async ({ root, say, require: load }) => {
      const { execFileSync } = load('node:child_process');
      const source = `
        import { MemoryCache } from ${JSON.stringify(load('node:url').pathToFileURL(load('node:path').join(root, 'index.js')).href)};
        const cache = new MemoryCache({ name: 'esm' });
        cache.on('expire', () => {});
        cache.set('k', { n: 1 }, 60);
        console.log(JSON.stringify(await cache.getOrSet('l', async () => cache.get('k'))));
      `;
      say(execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' }).trim());
    });
    assert.deepEqual(said, ['{"n":1}']);
  });
});

describe('a process stays while there is something to wait for', () => {
  it('a loader that awaits a timer', async () => {
    const { said } = await ends(({ MemoryCache, say }) => {
      const cache = new MemoryCache();
      const load = () => new Promise((resolve) => setTimeout(resolve, 100, { n: 1 }));
      for (const who of ['first', 'second']) cache.getOrSet('k', load).then((value) => say([who, value]));
    });
    assert.deepEqual(said.sort(), [
      ['first', { n: 1 }],
      ['second', { n: 1 }],
    ]);
  });

  it('a load in another thread', async () => {
    const { said } = await ends(async ({ MemoryCache, startWorker, say }) => {
      const cache = new MemoryCache({ name: 'shared' });
      const thread = startWorker(({ MemoryCache: Cache, say: tell }) => {
        const mine = new Cache({ name: 'shared' });
        return mine.getOrSet('k', () => {
          tell('loading');
          return new Promise((resolve) => setTimeout(resolve, 100, 'from the worker'));
        });
      });
      await thread.said('loading');
      // From here only the pending load may hold this process.
      thread.worker.unref();
      say(await cache.getOrSet('k', () => 'from here'));
    });
    assert.deepEqual(said, ['from the worker']);
  });

  it('and the exit code is that of the program', async () => {
    await ends(
      ({ MemoryCache }) => {
        new MemoryCache({ name: 'open' }).set('k', 1, 60);
        process.exitCode = 3;
      },
      { code: 3 },
    );
  });
});

describe('a process ends at once', () => {
  it('by process.exit inside a loader, inside a listener, and right after a write', async () => {
    await ends(
      async ({ MemoryCache }) => {
        const cache = new MemoryCache();
        await cache.getOrSet('k', () => process.exit(7));
      },
      { code: 7 },
    );
    await ends(
      ({ MemoryCache }) => {
        const cache = new MemoryCache();
        cache.on('evict', () => process.exit(8));
        cache.on('set', () => process.exit(9));
        cache.set('k', 1);
      },
      { code: 9 },
    );
    await ends(
      ({ MemoryCache }) => {
        const cache = new MemoryCache({ ttlMs: 1 });
        for (let i = 0; i < 10_000; i += 1) cache.set(`k${i}`, { i });
        process.exit(4);
      },
      { code: 4 },
    );
  });

  it('in its exit handlers the cache still works', async () => {
    const { said } = await ends(({ MemoryCache, say }) => {
      const cache = new MemoryCache();
      cache.set('k', { n: 1 });
      process.on('exit', () => {
        cache.set('last', 2);
        say([cache.get('k'), cache.get('last'), cache.size]);
      });
    });
    assert.deepEqual(said, [[{ n: 1 }, 2, 2]]);
  });

  it('by an uncaught exception, with open caches and a load under way', async () => {
    const { stderr } = await ends(
      ({ MemoryCache }) => {
        const cache = new MemoryCache();
        cache.on('set', () => {});
        cache.set('k', 1, 60);
        cache.getOrSet('l', () => new Promise((resolve) => setTimeout(resolve, 60_000)));
        setImmediate(() => {
          throw new Error('the program fails');
        });
      },
      { code: 1 },
    );
    assert.match(stderr, /the program fails/);
  });

  it('by a rejection nobody handled', async () => {
    const { stderr } = await ends(
      ({ MemoryCache }) => {
        new MemoryCache().getOrSet('k', () => {
          throw new Error('nobody handles this');
        });
      },
      { code: 1 },
    );
    assert.match(stderr, /nobody handles this/);
  });

  for (const signal of ['SIGTERM', 'SIGINT']) {
    it(`by ${signal}`, { skip: process.platform === 'win32' && 'signals are not delivered there' }, async () => {
      const { child, ended, hears } = startChild(({ MemoryCache, say }) => {
        const cache = new MemoryCache({ name: 'served' });
        let i = 0;
        setInterval(() => cache.set(`k${(i += 1)}`, { i }, 0.05), 1);
        cache.getOrSet('l', () => new Promise(() => {}));
        say('serving');
      });
      try {
        await hears('serving');
        child.kill(signal);
        const gone = await settled(ended, { what: `the child to end by ${signal}` });
        assert.equal(gone.signal, signal, gone.stderr);
      } finally {
        child.kill('SIGKILL');
      }
    });
  }

  it('by SIGTERM with a handler that closes', {
    skip: process.platform === 'win32' && 'signals are not delivered there',
  }, async () => {
    const { child, ended, hears } = startChild(({ MemoryCache, say }) => {
      const cache = new MemoryCache();
      const timer = setInterval(() => cache.set('k', 1), 1);
      process.once('SIGTERM', () => {
        clearInterval(timer);
        cache.close();
        say('closed');
      });
      say('serving');
    });
    try {
      await hears('serving');
      child.kill('SIGTERM');
      const { code, said, stderr } = await settled(ended);
      assert.equal(code, 0, stderr);
      assert.deepEqual(said, ['serving', 'closed']);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
