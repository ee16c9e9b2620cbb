// Numbers as people read them, always with their unit.

const NOTHING = '–';
const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 });
const compact = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });
const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

const isMissing = (value) => value === undefined || value === null || !Number.isFinite(value);
const orNothing = (format) => (value) => (isMissing(value) ? NOTHING : format(value));

export const count = orNothing((value) => (Math.abs(value) < 10_000 ? plain.format(value) : compact.format(value)));

export const number = orNothing((value) => (Math.abs(value) < 1000 ? short.format(value) : plain.format(value)));

/** A share between 0 and 1. */
export const percent = orNothing((value) => {
  const hundred = value * 100;
  return `${hundred > 99.9 && hundred < 100 ? hundred.toFixed(2) : short.format(hundred)} %`;
});

export const milliseconds = orNothing((value) => {
  if (value < 1 && value > 0) return `${short.format(value * 1000)} µs`;
  return value < 1000 ? `${short.format(value)} ms` : `${short.format(value / 1000)} s`;
});

export const bytes = orNothing((value) => {
  const unit = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), BYTE_UNITS.length - 1);
  return `${short.format(value / 1024 ** unit)} ${BYTE_UNITS[unit]}`;
});

export const perSecond = orNothing((value) => `${count(value < 10 ? Math.round(value * 10) / 10 : value)} /s`);

/** A span of time. @param {number} ms */
export const duration = orNothing((ms) => {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
});

/** How long ago. @param {number} timestamp */
export const ago = orNothing((timestamp) => {
  const ms = Date.now() - timestamp;
  return ms < 2000 ? 'just now' : `${duration(ms)} ago`;
});

/** @param {number} timestamp */
export const time = orNothing((timestamp) =>
  new Date(timestamp).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' }),
);

/** `cacheHitRate` as `Cache hit rate`. @param {string} name */
export function words(name) {
  const spaced = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
