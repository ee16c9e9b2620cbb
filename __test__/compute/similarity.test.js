'use strict';

const { describe, it, after } = require('node:test');
const assert = require('node:assert/strict');
const { ParallelProcessingEngine } = require('../..');
const { errors } = require('../support');

const engine = new ParallelProcessingEngine();
after(() => engine.close());
const alike = (entities, rest = {}) => engine.executeTask('similarity_calculation', { entities, ...rest });

const VECTORS = [
  { id: 'up', vector: [1, 2, 3] },
  { id: 'down', vector: new Float64Array([3, 2, 1]) },
  { id: 7, vector: [2, 4, 7] },
];

describe('pairs', () => {
  it('come with their ids, the most similar first', async () => {
    const pairs = await alike(VECTORS);
    assert.deepEqual(
      pairs.map(({ a, b }) => [a, b]),
      [['up', 7], ['down', 7], ['up', 'down']], // biome-ignore format: pairs
    );
    assert.ok(Math.abs(pairs[2].similarity + 1) < 1e-12);
  });

  it('are left out below the minimum', async () => {
    const pairs = await alike(VECTORS, { algorithm: 'pearson', options: { minSimilarity: 0.1 } });
    assert.deepEqual(
      pairs.map(({ a, b }) => [a, b]),
      [['up', 7]],
    );
  });

  it('with topK are the best few of each entity', async () => {
    const pairs = await alike(VECTORS, { algorithm: 'cosine', options: { topK: 1 } });
    assert.deepEqual(
      pairs.map(({ a, b }) => [a, b]),
      [['up', 7], ['down', 'up'], [7, 'up']], // biome-ignore format: pairs
    );
    assert.equal((await alike(VECTORS, { options: { topK: 50 } })).length, 6);
    assert.equal((await alike(VECTORS, { options: { topK: 2, minSimilarity: 0.9 } })).length, 2);
  });

  it('let the event loop turn while very many of them are made', async () => {
    const entities = Array.from({ length: 400 }, (_, id) => ({ id, vector: [id, Math.sin(id), Math.cos(id)] }));
    let turns = 0;
    const counter = setInterval(() => {
      turns += 1;
    });
    const pairs = await alike(entities, { algorithm: 'euclidean' });
    clearInterval(counter);
    assert.equal(pairs.length, (400 * 399) / 2);
    assert.ok(turns > 0);
    assert.ok(pairs.every((pair, index) => index === 0 || pair.similarity <= pairs[index - 1].similarity));
  });

  it('of nobody, and of one entity alone, are none', async () => {
    assert.deepEqual(await alike([]), []);
    assert.deepEqual(await alike([VECTORS[0]]), []);
    assert.deepEqual(await alike([VECTORS[0]], { options: { topK: 3 } }), []);
  });
});

describe('matrices and columns', () => {
  const entities = { data: new Float32Array([1, 0, 0, 1, 1, 1]), rows: 3, cols: 2 };

  it('a matrix is answered with a matrix', async () => {
    const { data, rows, cols } = await alike(entities, { algorithm: 'jaccard' });
    assert.deepEqual([rows, cols, Array.from(data)], [3, 3, [1, 0, 0.5, 0, 1, 0.5, 0.5, 0.5, 1]]);
  });

  it('with columns where scores are left out', async () => {
    const columns = await alike(entities, { algorithm: 'jaccard', options: { minSimilarity: 0.5 } });
    const plain = Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, Array.from(column)]));
    assert.deepEqual(plain, { a: [0, 1], b: [2, 2], similarity: [0.5, 0.5] });
  });

  it('and in any format that is asked for', async () => {
    const pairs = await alike(entities, { algorithm: 'jaccard', options: { format: 'pairs', minSimilarity: 0.1 } });
    assert.deepEqual(pairs[0], { a: 0, b: 2, similarity: 0.5 });
    assert.equal((await alike(VECTORS, { options: { format: 'matrix' } })).rows, 3);
    assert.equal((await alike(VECTORS, { options: { format: 'columns' } })).a.length, 3);
    const both = alike(entities, { options: { format: 'matrix', topK: 1 } });
    await assert.rejects(both, errors.outOfRange('data.options.format'));
  });
});

describe('ratings', () => {
  const ann = { id: 'ann', ratings: { tea: 5, milk: 1, rum: 3 } };
  const bob = { id: 'bob', ratings: new Map([['rum', 2], ['tea', 4]]) }; // biome-ignore format: pairs
  const eve = { id: 'eve', ratings: [['gin', 1]] };

  it('may be objects, Maps or pairs', async () => {
    const pairs = await alike([ann, bob, eve], { algorithm: 'jaccard' });
    assert.deepEqual(pairs[0], { a: 'ann', b: 'bob', similarity: 2 / 3 });
    assert.deepEqual(
      pairs.slice(1).map(({ similarity }) => similarity),
      [0, 0],
    );
  });

  it('count what both have rated', async () => {
    const [best] = await alike([ann, bob], { algorithm: 'pearson' });
    assert.ok(Math.abs(best.similarity - 1) < 1e-12);
    const [near] = await alike([ann, bob], { algorithm: 'euclidean' });
    assert.equal(near.similarity, 1 / (1 + Math.sqrt(2)));
  });
});

describe('what does not fit is refused', () => {
  const cases = [
    ['no entities', undefined, {}, errors.invalidType('data.entities')],
    ['an entity that is none', [null], {}, errors.invalidType('data.entities[0]')],
    ['no id', [{ vector: [1] }], {}, errors.invalidType('data.entities[0].id')],
    ['no vector', [{ id: 1 }], {}, errors.invalidType('data.entities[0].vector')],
    ['a text among numbers', [{ id: 1, vector: ['x'] }], {}, errors.invalidType('data.entities[0].vector[0]')],
    ['another length', [{ id: 1, vector: [1] }, { id: 2, vector: [] }], {}, errors.outOfRange('data.entities[1].vector.length')], // biome-ignore format: case
    ['a text as rating', [{ id: 1, ratings: { a: '5' } }], {}, errors.invalidType('data.entities[0].ratings[a]')],
    ['ratings that are none', [{ id: 1, ratings: 5 }], {}, errors.invalidType('data.entities[0].ratings')],
    ['another algorithm', [], { algorithm: 'magic' }, errors.outOfRange('data.algorithm')],
    ['another option', [], { options: { topk: 1 } }, errors.unknownOption('topk', 'topK')],
    ['a fraction of a neighbour', [], { options: { topK: 0.5 } }, errors.outOfRange('data.options.topK')],
    ['no minimum', [], { options: { minSimilarity: NaN } }, errors.outOfRange('data.options.minSimilarity')],
  ];
  for (const [title, entities, rest, error] of cases) {
    it(title, () => assert.rejects(alike(entities, rest), error));
  }
});
