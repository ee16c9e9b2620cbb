'use strict';

const { describe, it } = require('node:test');
const assert = require('node:assert/strict');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { threadId } = require('node:worker_threads');
const { ParallelProcessingEngine } = require('../..');
const { errors, settled, startWorker } = require('../support');
const { waitFor } = require('../support/wait');

const FILE = path.join(__dirname, 'fixtures', 'tasks.mjs');
const TIMEOUT = { name: 'HotpathTimeoutError', code: 'ERR_HOTPATH_TIMEOUT' };

function open(t, options) {
  const engine = new ParallelProcessingEngine({ maxWorkers: 1, ...options });
  t.after(() => engine.destroy());
  return engine;
}

/** Never ends, and never lets its thread's event loop turn. */
function forever() {
  for (;;);
}

/** Begins an endless task and waits until it runs. */
async function occupied(engine, options) {
  engine.registerTask('forever', forever);
  const task = engine.executeTask('forever', undefined, options);
  task.catch(() => {});
  await waitFor(() => engine.stats.tasks.running === 1, { what: 'the task to run' });
  return { task };
}

describe('a registered function', () => {
  it('runs in another thread, with its data and its context', async (t) => {
    const engine = open(t);
    const registered = engine.registerTask('where', async (data, { type, signal }) => {
      const { threadId: own } = require('node:worker_threads');
      return { data, type, aborted: signal.aborted, own };
    });
    assert.equal(registered, engine);
    const { own, ...rest } = await engine.executeTask('where', { big: 2n ** 70n, at: new Date(0) });
    assert.deepEqual(rest, { data: { big: 2n ** 70n, at: new Date(0) }, type: 'where', aborted: false });
    assert.notEqual(own, threadId);
    assert.ok(engine.tasks.includes('where') && engine.tasks.includes('sort'));
  });

  it('may be a method, a generator of promises, or imported later', async (t) => {
    const engine = open(t);
    const object = {
      double(x) {
        return x * 2;
      },
      async 'odd name'(x) {
        return x + 1;
      },
    };
    engine.registerTask('double', object.double).registerTask('odd', object['odd name']);
    engine.registerTask('imports', async () => (await import('node:path')).basename('/a/b'));
    assert.equal(await engine.executeTask('double', 4), 8);
    assert.equal(await engine.executeTask('odd', 4), 5);
    assert.equal(await engine.executeTask('imports'), 'b');
  });

  it('sees nothing of what is around it', async (t) => {
    const engine = open(t);
    engine.registerTask('closure', () => FILE);
    await assert.rejects(engine.executeTask('closure'), { name: 'ReferenceError', message: 'FILE is not defined' });
  });

  it('is replaced by another one of its name', async (t) => {
    const engine = open(t);
    engine.registerTask('task', () => 1);
    assert.equal(await engine.executeTask('task'), 1);
    engine.registerTask('task', () => 2);
    assert.equal(await engine.executeTask('task'), 2);
    assert.equal(engine.tasks.filter((name) => name === 'task').length, 1);
  });

  it('fails with what it throws, in the same error', async (t) => {
    const engine = open(t);
    engine.registerTask('fails', (data) => {
      throw Object.assign(new TypeError(data), { code: 'E_MINE', detail: { a: 1 } });
    });
    await assert.rejects(engine.executeTask('fails', 'no'), {
      name: 'TypeError',
      message: 'no',
      code: 'E_MINE',
      detail: { a: 1 },
    });
    assert.equal(engine.stats.tasks.failed, 1);
  });
});

describe('a registered file', () => {
  it('may be a path or a URL', async (t) => {
    const engine = open(t);
    for (const [name, file] of Object.entries({
      absolute: FILE,
      relative: path.relative(process.cwd(), FILE),
      url: pathToFileURL(FILE),
      text: pathToFileURL(FILE).href,
    })) {
      engine.registerTask(name, file);
      const answer = await engine.executeTask(name, { a: 1 });
      assert.deepEqual([answer.data, answer.type, answer.aborted], [{ a: 1 }, name, false]);
    }
  });

  it('without a function is an error of the tasks', async (t) => {
    const engine = open(t);
    engine.registerTask('nothing', path.join(__dirname, '..', 'workers', 'fixtures', 'no-function.mjs'));
    await assert.rejects(engine.executeTask('nothing'), { code: 'ERR_HOTPATH_WORKER_FILE' });
  });

  it('whose thread dies fails its task, and no other', async (t) => {
    const engine = open(t);
    engine.registerTask('file', FILE);
    const dies = engine.executeTask('file', { exits: 3 });
    const stays = engine.executeTask('file', 'fine');
    await assert.rejects(dies, { name: 'HotpathWorkerError', exitCode: 3 });
    assert.equal((await stays).data, 'fine');
  });
});

describe('a timeout', () => {
  it('ends an endless loop with its thread', async (t) => {
    const engine = open(t);
    engine.registerTask('forever', forever).registerTask('quick', () => 'done');
    await assert.rejects(engine.executeTask('forever', null, { timeout: 200 }), TIMEOUT);
    assert.equal(await engine.executeTask('quick'), 'done', 'the thread was replaced');
    const { timedOut, completed, total } = engine.stats.tasks;
    assert.deepEqual({ timedOut, completed, total }, { timedOut: 1, completed: 1, total: 2 });
  });

  it('counts the time in the queue', async (t) => {
    const engine = open(t);
    await occupied(engine);
    engine.registerTask('quick', () => 'done');
    await assert.rejects(engine.executeTask('quick', null, { timeout: 20 }), { ...TIMEOUT, timeoutMs: 20 });
  });

  it('is the engine’s where the task has none', async (t) => {
    const engine = open(t, { taskTimeout: 150 });
    engine.registerTask('forever', forever);
    await assert.rejects(engine.executeTask('forever'), TIMEOUT);
  });
});

describe('a signal', () => {
  it('ends a running task, and its reason is the error', async (t) => {
    const engine = open(t);
    const stop = new AbortController();
    const { task } = await occupied(engine, { signal: stop.signal });
    const reason = new Error('enough');
    stop.abort(reason);
    await assert.rejects(task, reason);
    assert.equal(engine.stats.tasks.cancelled, 1);
    await waitFor(() => engine.stats.tasks.running === 0);
  });

  it('reaches a function that looks at it, whose thread stays', async (t) => {
    const engine = open(t);
    engine.registerTask('file', FILE);
    const { threadId: before } = await engine.executeTask('file');
    const stop = new AbortController();
    const task = engine.executeTask('file', { waits: true }, { signal: stop.signal });
    await waitFor(() => engine.stats.tasks.running === 1);
    stop.abort();
    await assert.rejects(task, { name: 'AbortError' });
    assert.equal((await engine.executeTask('file')).threadId, before);
  });

  it('that was aborted before begins nothing', async (t) => {
    const engine = open(t);
    engine.registerTask('quick', () => 1);
    await assert.rejects(engine.executeTask('quick', null, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.equal(engine.stats.tasks.total, 0);
  });
});

it('the urgent overtake those that wait', async (t) => {
  const engine = open(t);
  const stop = new AbortController();
  await occupied(engine, { signal: stop.signal });
  engine.registerTask('same', (name) => name);
  const order = [];
  const tasks = Object.entries({ low: -1000, normal: 0, high: 1000 }).map(([name, priority]) =>
    engine.executeTask('same', name, { priority }).then((answer) => order.push(answer)),
  );
  assert.deepEqual(engine.stats.queue, { pending: 3, byPriority: { high: 1, normal: 1, low: 1 } });
  stop.abort();
  await Promise.all(tasks);
  assert.deepEqual(order, ['high', 'normal', 'low']);
});

it('moves memory that is given up, and copies other', async (t) => {
  const engine = open(t);
  engine.registerTask('sum', ({ parts: [a, b] }) => a.reduce((x, y) => x + y, 0) + b[0]);
  const data = { parts: [new Float64Array([1, 2, 3]), Buffer.from([4])] };
  assert.equal(await engine.executeTask('sum', data), 10);
  assert.equal(data.parts[0].length, 3);
  const own = { parts: [new Float64Array([1, 2, 3]), new Uint8Array([4])] };
  own.again = own;
  assert.equal(await engine.executeTask('sum', own, { transfer: true }), 10);
  assert.equal(own.parts[0].length, 0, 'detached');
});

it('counts registered and native tasks together', async (t) => {
  const engine = open(t, { maxWorkers: 2 });
  engine.registerTask('same', (x) => x);
  await Promise.all([engine.executeTask('same', 1), engine.executeTask('sort', [2, 1]), engine.executeTask('same', 2)]);
  const { tasks, workers, performance } = engine.stats;
  assert.deepEqual([tasks.total, tasks.completed, tasks.running, workers.max], [3, 3, 0, 2]);
  assert.ok(performance.avgExecutionTime >= 0);
  assert.equal(engine.getStats().tasks.successRate, '100.00%');
});

it('refuses what cannot be a task', (t) => {
  const engine = open(t);
  const register = (type, task) => () => engine.registerTask(type, task);
  assert.throws(
    register('sort', () => 1),
    errors.outOfRange('type'),
  );
  assert.throws(
    register('', () => 1),
    errors.outOfRange('type'),
  );
  assert.throws(
    register(7, () => 1),
    errors.invalidType('type'),
  );
  for (const task of [undefined, 7, '', 'no-such-file.js', __dirname, {}]) {
    assert.throws(register('task', task), errors.invalidType('task'));
  }
  for (const task of [Math.max, function bound() {}.bind(null), class Task {}]) {
    assert.throws(register('task', task), errors.invalidType('task'));
  }
  assert.ok(!engine.tasks.includes('task'));
});

it('close lets them end, destroy stops them', async (t) => {
  const closing = open(t);
  closing.registerTask('same', (x) => x);
  const last = closing.executeTask('same', 1);
  await closing.close();
  assert.equal(await last, 1);
  assert.throws(() => closing.registerTask('other', () => 1), errors.closed);

  const engine = open(t);
  const { task } = await occupied(engine);
  await engine.destroy();
  await assert.rejects(task, errors.closed);
  assert.equal(engine.stats.tasks.running, 0);
});

it('works in a worker thread, also one that leaves in the middle', async () => {
  const thread = startWorker(async ({ load }) => {
    const { ParallelProcessingEngine } = load();
    const engine = new ParallelProcessingEngine({ maxWorkers: 1 });
    engine.registerTask('same', (x) => x);
    engine.registerTask('forever', () => {
      for (;;);
    });
    const answer = await engine.executeTask('same', 'there');
    engine.executeTask('forever').catch(() => {});
    return answer;
  });
  assert.equal(await settled(thread.result), 'there');
  await settled(thread.terminate());
});
