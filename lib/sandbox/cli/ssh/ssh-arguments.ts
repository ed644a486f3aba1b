/** The options of ssh and scp that people write between target and command. */
import { UsageError } from '../errors.ts';

// ssh(1), scp(1): options that take a value.
const WITH_VALUE = new Set(
  'B b c e E F I J l m o O P Q S w X'.split(' ').map((letter) => `-${letter}`),
);
const TUNNELS = new Set(['-D', '-L', '-R', '-N', '-W']);

/** Options first; `--` ends them. @throws UsageError on those that need a network between. */
export function splitSshArguments(words: readonly string[]): {
  readonly options: readonly string[];
  readonly command: readonly string[];
} {
  const options: string[] = [];
  let at = 0;
  for (let word = words[at]; word?.startsWith('-') === true; word = words[at]) {
    at += 1;
    if (word === '--') {
      break;
    }
    const letter = word.slice(0, 2);
    if (TUNNELS.has(letter)) {
      throw new UsageError(
        `${letter} has no use in the sandbox: ports of machines are ports of this host`,
      );
    }
    options.push(word);
    if (WITH_VALUE.has(word)) {
      options.push(words[at] ?? '');
      at += 1;
    }
  }
  return { options, command: words.slice(at) };
}
