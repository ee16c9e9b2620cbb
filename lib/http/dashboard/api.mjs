// The router's endpoints, without their envelope.

export class ApiError extends Error {
  /** @param {string} message @param {string} code @param {number} status */
  constructor(message, code, status) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
    this.status = status;
  }
}

/**
 * @param {string} url where the router is mounted
 * @param {typeof globalThis.fetch} [fetch] one that adds credentials, for example
 */
export function createApi(url, fetch = globalThis.fetch.bind(globalThis)) {
  const base = url.replace(/\/+$/, '');

  /** @param {string} method @param {string} path @param {unknown} [body] */
  async function call(method, path, body) {
    const headers = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await fetch(`${base}${path}`, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = await response.json().catch(() => undefined);
    if (response.ok && answer?.success) return answer.data;
    const { code = 'ERR_UNEXPECTED_ANSWER', message = `The server answered ${response.status}` } = answer?.error ?? {};
    throw new ApiError(message, code, response.status);
  }

  return {
    base,
    get: (path) => call('GET', path),
    post: (path, body = {}) => call('POST', path, body),
    put: (path, body = {}) => call('PUT', path, body),
    delete: (path, body) => call('DELETE', path, body),
  };
}
