'use strict';

// The two questions that read every row, in a thread of their own.

const places = require('./places.js');

module.exports = ({ kind, question }) => places[kind](question);
