// News from the server: server-sent events, and where they cannot be had (a proxy, a server without them, a fetch of the
// application's own that adds credentials), asking again and again.

const POLL_MS = 5000;
const MAX_POLL_MS = 60_000;

/** @typedef {'connecting' | 'live' | 'reconnecting' | 'polling' | 'offline'} LiveState */

/** Events of the stream that carry something. */
const EVENTS = ['hello', 'sample', 'alert', 'resolved', 'optimization', 'reset'];

/**
 * @param {object} options
 * @param {string} options.url of the stream
 * @param {boolean} options.stream whether to try it
 * @param {() => Promise<unknown>} options.poll asks for everything once
 * @param {(name: string, data: any) => void} options.onEvent
 * @param {(state: LiveState) => void} options.onState
 * @returns {() => void} ends it
 */
export function follow({ url, stream, poll, onEvent, onState }) {
  let ended = false;
  let source;
  let timer;
  let failures = 0;

  async function ask() {
    try {
      await poll();
      failures = 0;
      if (!ended) onState('polling');
    } catch {
      failures++;
      if (!ended) onState('offline');
    }
    if (!ended) timer = setTimeout(ask, Math.min(POLL_MS * 2 ** failures, MAX_POLL_MS));
  }

  function listen() {
    source = new EventSource(url);
    source.addEventListener('open', () => onState('live'));
    source.addEventListener('error', () => {
      // The browser tries again by itself, unless the answer was no stream at all.
      if (source.readyState !== EventSource.CLOSED) return onState('reconnecting');
      source = undefined;
      ask();
    });
    for (const name of EVENTS) source.addEventListener(name, ({ data }) => onEvent(name, JSON.parse(data)));
  }

  onState('connecting');
  if (stream && typeof EventSource === 'function') listen();
  else ask();
  return () => {
    ended = true;
    clearTimeout(timer);
    source?.close();
  };
}
