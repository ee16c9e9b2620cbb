'use strict';

// Statistics of the memory cache, from the flat form in which the native side counts.

/**
 * @param {any} counted
 * @param {{ size: number, bytes: number, bounds: { maxEntries: number, maxBytes: number } } | undefined} near
 */
function memoryCacheStats(counted, near) {
  const {
    algorithm,
    packedEntries,
    packedOriginal,
    packedStored,
    packedThreshold,
    packedSmall,
    packedSkipped,
    dictionaryBytes,
    dictionaryTrainings,
    pressed,
    shrinks,
    recoveries,
    fullMaxBytes,
    ...stats
  } = counted;
  const reads = stats.hits + stats.misses;
  return {
    ...stats,
    hitRatio: reads === 0 ? 0 : stats.hits / reads,
    nearEntries: near?.size ?? 0,
    nearBytes: near?.bytes ?? 0,
    nearMaxEntries: near?.bounds.maxEntries ?? 0,
    nearMaxBytes: near?.bounds.maxBytes ?? 0,
    compression: {
      algorithm: algorithm ?? null,
      thresholdBytes: algorithm === undefined ? null : packedThreshold,
      entries: packedEntries,
      originalBytes: packedOriginal,
      storedBytes: packedStored,
      savedBytes: packedOriginal - packedStored,
      ratio: packedOriginal === 0 ? 1 : packedStored / packedOriginal,
      skipped: packedSkipped,
      belowThreshold: packedSmall,
      dictionary: dictionaryTrainings === undefined ? null : { bytes: dictionaryBytes, trainings: dictionaryTrainings },
    },
    memoryPressure: { active: pressed, shrinks, recoveries, fullMaxBytes },
  };
}

module.exports = { memoryCacheStats };
