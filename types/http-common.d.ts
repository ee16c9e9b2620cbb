/** A request of `node:http` or `node:http2`, also as a framework has dressed it. */
// biome-ignore lint/suspicious/noExplicitAny: the request type of whichever framework is in use.
export type HttpRequest = any;

/** A response of `node:http` or `node:http2`, also as a framework has dressed it. */
// biome-ignore lint/suspicious/noExplicitAny: the response type of whichever framework is in use.
export type HttpResponse = any;

/** A handler as Express, connect and @fastify/middie call it. */
export type HttpHandler = (request: HttpRequest, response: HttpResponse, next: (error?: unknown) => unknown) => unknown;

/** A listener for `http.createServer` and its like. An Express application is one. */
export type HttpListener = (request: HttpRequest, response: HttpResponse) => unknown;
