// The demo application in a process of its own, as `npm start` runs it, without its own visitors.

const { spawn } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');

const SERVER = path.join(__dirname, '..', '..', 'examples', 'express-app', 'server.js');

/** Starts it, and gives its address and what it printed about its first load. */
async function startDemo() {
  const env = { ...process.env, PORT: '0', VISITORS: '0', LOAD_SECONDS: '6' };
  const child = spawn(process.execPath, [SERVER], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const ready = new Promise((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      const [, url] = /Still serving (http:\S+?)[ ,]/.exec(output) ?? [];
      if (url) resolve(url);
    });
    child.once('exit', () => reject(new Error(`The demo ended:\n${output}`)));
  });
  /** @type {string} */
  const url = await ready;
  return {
    url,
    output,
    async stop() {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

module.exports = { startDemo };
