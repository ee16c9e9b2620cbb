'use strict';

// Wires alerts to a webhook, and causes one. Everything on loopback; ends by itself.

const { once } = require('node:events');
const http = require('node:http');
const { PerformanceMonitor, alertChannels, timingMiddleware } = require('hotpath');

/** The other side of the webhook: prints what it is told. */
function startReceiver() {
  return http.createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += piece;
    const { state, alert } = JSON.parse(body);
    console.log(`webhook: ${state} ${alert.type} at ${alert.value.toFixed(1)} % (threshold ${alert.threshold} %)`);
    response.end();
    receiver.emit('told', state);
  });
}

/** The server that is watched. */
function startServer(monitor) {
  const time = timingMiddleware({ monitor, route: (request) => request.url });
  return http.createServer((request, response) => {
    time(request, response, () => {
      response.statusCode = request.url === '/broken' ? 500 : 200;
      response.end();
    });
  });
}

async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${server.address().port}`;
}

async function send(url, times) {
  for (let count = 0; count < times; count += 1) await (await fetch(url)).arrayBuffer();
}

const receiver = startReceiver();

async function main() {
  const monitor = new PerformanceMonitor({
    logger: { warn() {} },
    options: { metricsWindow: 2_000, thresholds: { errorRate: 5, memory: 100, cpu: 100 } },
  });
  const channel = alertChannels.webhook(await listen(receiver));
  channel.attach(monitor);
  const server = startServer(monitor);
  const url = await listen(server);

  await send(`${url}/fine`, 20);
  await send(`${url}/broken`, 5);
  const fired = once(receiver, 'told');
  monitor.checkAlerts(); // by itself it looks every 30 seconds
  await fired;

  await send(`${url}/fine`, 500);
  const ended = once(receiver, 'told');
  monitor.checkAlerts();
  await ended;

  channel.close();
  monitor.close();
  for (const each of [server, receiver]) {
    each.closeAllConnections();
    each.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
