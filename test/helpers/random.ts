/** Chance that can be had again: the same seed gives the same numbers (Mulberry32). */

/** Numbers from 0 to below 1. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed asked for by `TEST_SEED`, else a new one; to be shown in the name of the test. */
export function chooseSeed(): number {
  const told = process.env['TEST_SEED'];
  return told === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(told);
}
