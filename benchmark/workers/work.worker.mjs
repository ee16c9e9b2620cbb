/** Answers at once, computes for ever, or waits for ever. @param {'idle' | 'busy' | 'waiting'} state */
export default function work(state) {
  if (state === 'waiting') return new Promise(() => {});
  while (state === 'busy');
  return state;
}
