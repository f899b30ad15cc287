// random.mjs: randomness with a seed, so that a failed run can be told from its print.

// A small generator (mulberry32): the same seed gives the same numbers in [0, 1).
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function newSeed() {
  const seed = Number(process.env.CONFAB_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (set CONFAB_TEST_SEED to use it again)`);
  return seed;
}

// A whole number from `least` to `most`.
export const between = (random, least, most) => least + Math.floor(random() * (most - least + 1));
