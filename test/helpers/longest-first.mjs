// The order of test files. Jest would begin with the biggest, which here are short: a minute-long one begun
// last then runs alone at the end. What takes long starts first, so that the short ones fill both processes to the end.
import { statSync } from 'node:fs';

const LONGEST_FIRST = ['e2e', 'interop', 'integration', 'contract', 'unit'];

export default class LongestFirst {
  sort(tests) {
    const ranked = [...tests].map((test) => ({
      test,
      rank: LONGEST_FIRST.findIndex((kind) => test.path.includes(`/test/${kind}/`)),
      size: statSync(test.path).size,
    }));
    ranked.sort((a, b) => a.rank - b.rank || b.size - a.size);
    return ranked.map(({ test }) => test);
  }

  cacheResults() {
    // Nothing is kept between runs: the order is the same everywhere.
  }
}
