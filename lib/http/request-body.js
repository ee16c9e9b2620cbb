'use strict';

/** Whether a request has a body. @param {any} request */
function hasBody(request) {
  const length = request.headers['content-length'];
  // HTTP/2 frames bodies itself: they need no header.
  if (request.httpVersionMajor >= 2 && length === undefined) return request.stream?.endAfterHeaders === false;
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

module.exports = { hasBody };
