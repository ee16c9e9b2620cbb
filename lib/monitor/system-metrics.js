'use strict';

// The latest sample of process and machine, as plain objects. Sampled by a native thread every five seconds.

const native = require('../native.js');
const { threadWatch } = require('./thread-watch.js');

/** How old a sample may be that somebody asks for. */
const FRESH_MS = 1_000;

function systemMetrics() {
  const sample = native.monitorSystem(FRESH_MS);
  const { delays, gc, ...heap } = threadWatch.latest;
  const { heapUsed, heapTotal, external } = process.memoryUsage();
  return {
    timestamp: sample.time,
    uptime: process.uptime(),
    cpu: {
      usage: sample.processCpu,
      thread: sample.threadCpu,
      host: sample.hostCpu,
      seconds: sample.cpuSeconds,
      cores: sample.cores,
      loadAverage: sample.load,
    },
    memory: {
      total: sample.memoryTotal,
      used: sample.memoryTotal - sample.memoryAvailable,
      free: sample.memoryAvailable,
      usage: sample.memoryLimit === 0 ? 0 : sample.resident / sample.memoryLimit,
      limit: sample.memoryLimit,
      rss: sample.resident,
      heapUsed,
      heapTotal,
      heapLimit: heap.heapLimit,
      external,
      arrayBuffers: heap.arrayBuffers,
    },
    disk: {
      total: sample.diskTotal,
      used: sample.diskTotal - sample.diskFree,
      free: sample.diskFree,
      usage: sample.diskTotal === 0 ? 0 : (sample.diskTotal - sample.diskFree) / sample.diskTotal,
      readBytes: sample.diskRead,
      writtenBytes: sample.diskWritten,
    },
    network: { receivedBytes: sample.networkReceived, sentBytes: sample.networkSent },
    eventLoop: { utilization: heap.utilization, delay: delays },
    gc,
    handles: { active: heap.resources, openFiles: sample.openFiles },
  };
}

module.exports = { systemMetrics };
