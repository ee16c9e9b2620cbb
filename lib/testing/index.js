'use strict';

const { testTier, tierContract } = require('./tier-contract.js');

module.exports = { testTier, tierContract };
