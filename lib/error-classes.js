'use strict';

// The errors that users catch. What only makes them stays in errors.js.

const {
  HotpathError,
  HotpathClosedError,
  HotpathAbortError,
  HotpathConflictError,
  HotpathDataError,
  HotpathLoadError,
  HotpathLoadTestError,
  HotpathMatrixError,
  HotpathQueueFullError,
  HotpathStorageError,
  HotpathTierError,
  HotpathTimeoutError,
  HotpathValueError,
  HotpathWorkerError,
} = require('./errors.js');

module.exports = {
  HotpathError,
  HotpathClosedError,
  HotpathAbortError,
  HotpathConflictError,
  HotpathDataError,
  HotpathLoadError,
  HotpathLoadTestError,
  HotpathMatrixError,
  HotpathQueueFullError,
  HotpathStorageError,
  HotpathTierError,
  HotpathTimeoutError,
  HotpathValueError,
  HotpathWorkerError,
};
