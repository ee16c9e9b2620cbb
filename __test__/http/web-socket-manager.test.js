'use strict';

const assert = require('node:assert/strict');
const { EventEmitter } = require('node:events');
const http = require('node:http');
const { describe, it } = require('node:test');
const { WebSocket, WebSocketServer } = require('ws');
const { MetricsService, WebSocketManager } = require('hotpath');
const { waitFor } = require('../support');

/** A manager behind a real server, and a way to connect to it. The user's name is the path. */
async function setUp(t, options) {
  const manager = new WebSocketManager({ heartbeatMs: 0, ...options });
  const server = http.createServer();
  const sockets = new WebSocketServer({ server });
  const added = new Map();
  sockets.on('connection', (socket, request) => {
    const user = request.url.slice(1);
    added.set(socket, manager.closed ? undefined : manager.addConnection(user, socket));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const clients = [];
  t.after(() => {
    manager.close();
    for (const client of clients) client.terminate();
    sockets.close();
    server.close();
    server.closeAllConnections();
  });
  const connect = async (user, clientOptions) => {
    const client = new WebSocket(`ws://127.0.0.1:${server.address().port}/${user}`, clientOptions);
    clients.push(client);
    client.heard = [];
    client.on('message', (data, isBinary) => client.heard.push(isBinary ? data : String(data)));
    client.on('close', (code, reason) => {
      client.closed = { code, reason: String(reason) };
    });
    client.on('error', () => {});
    const { size } = added;
    await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
    await waitFor(() => added.size > size);
    return client;
  };
  return { manager, connect, added };
}

/** A socket whose every method throws. */
class Broken extends EventEmitter {
  readyState = WebSocket.OPEN;
  bufferedAmount = 0;
}
for (const method of ['send', 'ping', 'close', 'terminate']) {
  Broken.prototype[method] = () => {
    throw new Error(method);
  };
}

describe('sockets that throw', () => {
  it('get in nobody’s way', async (t) => {
    const manager = new WebSocketManager({ maxConnections: 2, heartbeatMs: 1 });
    t.after(() => manager.close());
    const add = (user) => manager.addConnection(user, new Broken());
    assert.equal(add('ann'), true);
    assert.equal(add('ann'), true);
    assert.equal(add('bob'), true);
    assert.equal(add('cat'), false);
    assert.equal(manager.broadcast('hello'), 0);
    assert.equal(manager.removeConnection('bob'), true);
    await waitFor(() => manager.stats.timedOut === 1);
    assert.equal(manager.size, 0);
    assert.equal(add('ann'), true);
  });
});

describe('connections', () => {
  it('come and go', async (t) => {
    const { manager, connect } = await setUp(t);
    const events = [];
    for (const name of ['connected', 'disconnected', 'refused']) manager.on(name, (user) => events.push([name, user]));
    const ann = await connect('ann');
    await connect('bob');
    assert.equal(manager.size, 2);
    assert.equal(manager.getConnection('ann').readyState, WebSocket.OPEN);
    ann.close();
    await waitFor(() => manager.size === 1);
    assert.equal(manager.getConnection('ann'), undefined);
    assert.equal(manager.removeConnection('bob', 4001, 'enough'), true);
    assert.equal(manager.removeConnection('bob'), false);
    assert.deepEqual(events, [
      ['connected', 'ann'],
      ['connected', 'bob'],
      ['disconnected', 'ann'],
      ['disconnected', 'bob'],
    ]);
    const { opened, closed, peakConnections, connections } = manager.stats;
    assert.deepEqual(
      { opened, closed, peakConnections, connections },
      { opened: 2, closed: 2, peakConnections: 2, connections: 0 },
    );
  });

  it('of a user who has one already take its place', async (t) => {
    const { manager, connect } = await setUp(t);
    const first = await connect('ann');
    const second = await connect('ann');
    await waitFor(() => first.closed);
    assert.equal(first.closed.code, 1000);
    assert.equal(manager.size, 1);
    manager.broadcast('hello');
    await waitFor(() => second.heard.length === 1);
    assert.deepEqual(first.heard, []);
    assert.equal(manager.stats.replaced, 1);
    assert.equal(manager.addConnection('ann', manager.getConnection('ann')), true);
    assert.equal(manager.stats.replaced, 1);
  });

  it('are turned away with 1013 when there are too many', async (t) => {
    const { manager, connect, added } = await setUp(t, { maxConnections: 2 });
    const refused = [];
    manager.on('refused', (user) => refused.push(user));
    await connect('ann');
    await connect('bob');
    const third = await connect('cat');
    await waitFor(() => third.closed);
    assert.equal(third.closed.code, 1013);
    assert.deepEqual([...added.values()], [true, true, false]);
    assert.deepEqual(refused, ['cat']);
    // Who is there already may come again.
    const again = await connect('ann');
    assert.equal(manager.size, 2);
    manager.removeConnection('bob');
    await connect('cat');
    assert.equal(manager.size, 2);
    assert.equal(again.readyState, WebSocket.OPEN);
    assert.equal(manager.stats.refused, 1);
  });

  it('that are gone make room', async (t) => {
    const { manager, connect } = await setUp(t, { maxConnections: 1 });
    await connect('ann');
    const socket = manager.getConnection('ann');
    // Its end has not been heard of yet.
    socket.removeAllListeners('close');
    socket.terminate();
    assert.equal(manager.size, 1);
    await connect('bob');
    assert.equal(manager.size, 1);
    assert.ok(manager.getConnection('bob'));
    assert.equal(manager.cleanupInactiveConnections(), 0);
  });

  it('that are not open are not taken up', async (t) => {
    const { manager, connect } = await setUp(t);
    await connect('ann');
    const socket = manager.getConnection('ann');
    manager.removeConnection('ann');
    assert.equal(manager.addConnection('ann', socket), false);
    assert.equal(manager.size, 0);
  });

  it('that break the protocol are closed, and nothing else', async (t) => {
    const { manager, connect } = await setUp(t);
    const ann = await connect('ann');
    const bob = await connect('bob');
    // An unknown opcode, without a mask.
    ann._socket.write(Buffer.from([0xff, 0xff, 0, 1, 2, 3]));
    await waitFor(() => manager.size === 1);
    assert.equal(manager.stats.errors, 1);
    assert.equal(manager.broadcast('still here'), 1);
    await waitFor(() => bob.heard.length === 1);
  });
});

describe('the heartbeat', () => {
  it('keeps those who answer, and cuts off those who do not', async (t) => {
    const { manager, connect } = await setUp(t, { heartbeatMs: 50 });
    const ann = await connect('ann');
    const bob = await connect('bob', { autoPong: false });
    let pings = 0;
    ann.on('ping', () => pings++);
    await waitFor(() => manager.getConnection('bob') === undefined);
    await waitFor(() => bob.closed);
    assert.equal(bob.closed.code, 1006);
    const seen = pings;
    await waitFor(() => pings > seen + 2);
    assert.ok(manager.stats.timedOut >= 1);
  });

  it('keeps no process alive', async () => {
    const { spawnSync } = require('node:child_process');
    const script = `
      const { EventEmitter } = require('node:events');
      const { WebSocketManager } = require(${JSON.stringify(require.resolve('hotpath'))});
      const socket = Object.assign(new EventEmitter(), { readyState: 1, send() {}, ping() {}, close() {}, terminate() {} });
      new WebSocketManager().addConnection('ann', socket);`;
    const { status, signal, stderr } = spawnSync(process.execPath, ['-e', script], { timeout: 60_000 });
    assert.equal(signal, null);
    assert.equal(status, 0, String(stderr));
  });
});

describe('messages', () => {
  it('reach all, some or one', async (t) => {
    const { manager, connect } = await setUp(t);
    const [ann, bob, cat] = [await connect('ann'), await connect('bob'), await connect('cat')];
    assert.equal(manager.broadcast({ to: 'all' }), 3);
    assert.equal(manager.broadcast('not ann', { except: 'ann' }), 2);
    assert.equal(manager.broadcast(Buffer.from([1, 2]), { filter: (user) => user === 'cat' }), 1);
    assert.equal(manager.broadcast('nobody', { except: ['ann', 'bob', 'cat'] }), 0);
    assert.equal(manager.send('bob', 'just you'), true);
    assert.equal(manager.send('dan', 'nobody'), false);
    await waitFor(() => cat.heard.length === 3 && bob.heard.length === 3 && ann.heard.length === 1);
    assert.deepEqual(ann.heard, ['{"to":"all"}']);
    assert.deepEqual(bob.heard, ['{"to":"all"}', 'not ann', 'just you']);
    assert.deepEqual(cat.heard, ['{"to":"all"}', 'not ann', Buffer.from([1, 2])]);
    assert.equal(manager.stats.sent, 7);
    assert.throws(() => manager.broadcast(undefined), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => manager.broadcast(() => {}), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('are not piled up for a client that does not read', async (t) => {
    const { manager, connect } = await setUp(t, { maxBufferedBytes: 1 << 20 });
    const ann = await connect('ann');
    ann._socket.pause();
    const piece = Buffer.alloc(1 << 20);
    await waitFor(() => {
      manager.broadcast(piece);
      return manager.stats.dropped > 0;
    });
    assert.ok(manager.getConnection('ann').bufferedAmount < 64 << 20);
    assert.equal(manager.size, 1);
  });

  it('and connections are counted by the metrics', async (t) => {
    const metrics = new MetricsService();
    t.after(() => metrics.close());
    const before = metrics.getApplicationMetrics();
    const { manager, connect } = await setUp(t, { metrics });
    const ann = await connect('ann');
    ann.send('one');
    ann.send('two');
    await waitFor(() => manager.stats.received === 2);
    assert.equal(manager.stats.received, 2);
    assert.notDeepEqual(metrics.getApplicationMetrics(), before);
  });
});

describe('the manager', () => {
  it('may be used from its own events', async (t) => {
    const { manager, connect } = await setUp(t);
    manager.on('connected', (user) => {
      manager.broadcast(`welcome ${user}`);
      if (user === 'bob') manager.removeConnection('ann');
    });
    const ann = await connect('ann');
    const bob = await connect('bob');
    await waitFor(() => ann.closed);
    await waitFor(() => bob.heard.length === 1);
    assert.equal(manager.size, 1);
    manager.on('disconnected', () => manager.close());
    manager.removeConnection('bob');
    assert.equal(manager.closed, true);
  });

  it('closes all connections, once', async (t) => {
    const { manager, connect } = await setUp(t);
    const clients = [await connect('ann'), await connect('bob')];
    manager.close();
    manager.close();
    for (const client of clients) {
      await waitFor(() => client.closed);
      assert.equal(client.closed.code, 1001);
    }
    assert.equal(manager.closed, true);
    assert.equal(manager.size, 0);
    for (const call of [
      () => manager.addConnection('ann', clients[0]),
      () => manager.broadcast('x'),
      () => manager.send('ann', 'x'),
    ]) {
      assert.throws(call, { code: 'ERR_HOTPATH_CLOSED' });
    }
    assert.equal(manager.removeConnection('ann'), false);
    assert.equal(manager.cleanupInactiveConnections(), 0);
    assert.equal(manager.stats.connections, 0);
  });

  it('checks what it is given', () => {
    for (const [options, code] of [
      [{ max: 1 }, 'ERR_HOTPATH_UNKNOWN_OPTION'],
      [{ maxConnections: 0 }, 'ERR_OUT_OF_RANGE'],
      [{ maxConnections: Number.NaN }, 'ERR_OUT_OF_RANGE'],
      [{ heartbeatMs: -1 }, 'ERR_OUT_OF_RANGE'],
      [{ heartbeatMs: 2 ** 31 }, 'ERR_OUT_OF_RANGE'],
      [{ metrics: {} }, 'ERR_INVALID_ARG_TYPE'],
    ]) {
      assert.throws(() => new WebSocketManager(options), { code }, JSON.stringify(options));
    }
    const manager = new WebSocketManager();
    assert.equal(manager.maxConnections, 1000);
    assert.throws(() => manager.addConnection('', {}), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => manager.addConnection(5, {}), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => manager.addConnection('ann', {}), { code: 'ERR_INVALID_ARG_TYPE' });
    assert.throws(() => manager.removeConnection('ann', 5), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => manager.broadcast('x', { filter: 1 }), { code: 'ERR_INVALID_ARG_TYPE' });
    manager.close();
  });
});
