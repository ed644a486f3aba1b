/**
 * Constraints on machines, as Juju writes them. This host is what it is, so they are checked, kept and
 * shown, and change nothing. https://github.com/juju/juju/blob/3.6/core/constraints/constraints.go
 */
import type { JsonRecord, JsonValue } from '../../api.ts';
import { CommandError, quoted } from '../errors.ts';

type Parse = (text: string) => JsonValue;

const MULTIPLES: Readonly<Record<string, number>> = { M: 1, G: 1024, T: 1024 ** 2, P: 1024 ** 3 };

const word: Parse = (text) => text;
const words: Parse = (text) => text.split(',').filter((item) => item !== '');
const count: Parse = (text) => {
  if (!/^\d+$/.test(text)) {
    throw new Error('must be a non-negative integer');
  }
  return Number(text);
};
const size: Parse = (text) => {
  const [, amount, unit = 'M'] = /^(\d+(?:\.\d+)?)([MGTP])?$/.exec(text) ?? [];
  if (amount === undefined) {
    throw new Error('must be a non-negative float with optional M/G/T/P suffix');
  }
  return Math.ceil(Number(amount) * (MULTIPLES[unit] ?? 1));
};
const flag: Parse = (text) => {
  if (text !== 'true' && text !== 'false') {
    throw new Error(`must be 'true' or 'false'`);
  }
  return text === 'true';
};

const KEYS: Readonly<Record<string, Parse>> = {
  'allocate-public-ip': flag,
  arch: word,
  container: word,
  cores: count,
  'cpu-cores': count,
  'cpu-power': count,
  'image-id': word,
  'instance-role': word,
  'instance-type': word,
  mem: size,
  'root-disk': size,
  'root-disk-source': word,
  spaces: words,
  tags: words,
  'virt-type': word,
  zones: words,
};

/** `mem=4G cores=2`, in one word or several. @throws CommandError with Juju's message. */
export function parseConstraints(texts: readonly string[]): JsonRecord {
  const found: Record<string, JsonValue> = {};
  for (const item of texts.flatMap((text) => text.split(/\s+/)).filter((text) => text !== '')) {
    const at = item.indexOf('=');
    if (at < 1) {
      throw new CommandError(`malformed constraint ${quoted(item)}`);
    }
    const key = item.slice(0, at);
    const parse = KEYS[key];
    if (parse === undefined) {
      throw new CommandError(`unknown constraint ${quoted(key)}`);
    }
    const name = key === 'cpu-cores' ? 'cores' : key;
    if (name in found) {
      throw new CommandError(`bad ${quoted(name)} constraint: already set`);
    }
    found[name] = parsed(key, item.slice(at + 1), parse);
  }
  return found;
}

function parsed(key: string, text: string, parse: Parse): JsonValue {
  try {
    return parse(text);
  } catch (error) {
    const reason = Error.isError(error) ? error.message : String(error);
    throw new CommandError(`bad ${quoted(key)} constraint: ${reason}`);
  }
}

/** `cores=2 mem=4096M`. */
export function formatConstraints(constraints: JsonRecord): string {
  return Object.entries(constraints)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => {
      const unit = KEYS[key] === size ? 'M' : '';
      return `${key}=${[value].flat().map(String).join(',')}${unit}`;
    })
    .join(' ');
}
