'use strict';

const fs = require('node:fs');
const vm = require('node:vm');
const { makeContext } = require('./context');

const { source, data } = JSON.parse(process.argv[2]);

// Written synchronously: a line said just before process.exit must not be lost.
const context = makeContext({ say: (value) => fs.writeSync(1, `${JSON.stringify(value)}\n`) });

const body = vm.runInThisContext(`(${source})`, { filename: 'child-body.js' });

// A failing body is an uncaught exception, as it would be in a user's program: exit code 1 and the stack on stderr.
Promise.resolve(body(context, data)).catch((error) => {
  process.nextTick(() => {
    throw error;
  });
});
