'use strict';

// A server that speaks MongoDB's wire protocol: MongoDB's own mock server, which answers as it is told.

const Module = require('node:module');
const { freePort } = require('./servers.js');

/** The mock server asks for snappy as it loads, and would use it for compressed messages alone, which nobody sends. */
function loadMock() {
  const load = Module._load;
  Module._load = (request, ...rest) => (request === 'snappy' ? {} : load(request, ...rest));
  try {
    return require('mongodb-mock-server');
  } finally {
    Module._load = load;
  }
}

const mock = loadMock();

const HELLO = {
  ...mock.DEFAULT_ISMASTER_36,
  helloOk: true,
  isWritablePrimary: true,
  minWireVersion: 0,
  maxWireVersion: 21,
};

/** Starts a server; it ends with the test. `commands` names what it was asked. */
async function mongodb(t) {
  const port = await freePort();
  const commands = [];
  const answer = (request) => {
    const [name] = Object.keys(request.document);
    commands.push(name);
    if (['hello', 'ismaster', 'isMaster'].includes(name)) request.reply(HELLO);
    else request.reply({ ok: 1 });
  };
  const server = await mock.createServer(port, '127.0.0.1');
  server.setMessageHandler(answer);
  t.after(() => mock.cleanup());
  return {
    connectionString: `mongodb://127.0.0.1:${port}/`,
    commands,
  };
}

module.exports = { mongodb };
