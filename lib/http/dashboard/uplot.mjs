// Bundlers find uPlot among the dependencies; the router answers a request for this file with uPlot itself, because
// browsers know nothing of packages.
export { default } from 'uplot';
