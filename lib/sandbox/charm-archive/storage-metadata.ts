/**
 * `storage` of metadata.yaml.
 * https://github.com/juju/charm/blob/v12/meta.go
 */
import { ModelError } from '../errors.ts';
import type { JsonRecord, JsonValue } from '../json.ts';
import type { StorageMetadata } from '../model/charm-metadata.ts';
import { parseSize } from '../model/storage-directive.ts';
import { recordOf, scalarText, textOf } from './yaml-document.ts';

const RANGE = /^(\d+)([-+]?)(\d*)$/;
/** Where Juju itself mounts; a charm must not ask for a place below. */
const JUJU_STORAGE = '/var/lib/juju/storage';

/** @throws ModelError with Juju's message where a store is invalid. */
export function parseStorage(charm: string, meta: JsonRecord): Record<string, StorageMetadata> {
  return Object.fromEntries(
    Object.entries(recordOf(meta['storage'], 'metadata: storage')).map(([name, value]) => [
      name,
      parseStore(charm, name, recordOf(value, `metadata: storage.${name}`)),
    ]),
  );
}

function parseStore(charm: string, name: string, fields: JsonRecord): StorageMetadata {
  const what = `charm ${JSON.stringify(charm)} storage ${JSON.stringify(name)}`;
  const type = textOf(fields['type'], `metadata: storage.${name}.type`);
  if (type === undefined) {
    throw new ModelError(`${what}: type must be specified`);
  }
  if (type !== 'filesystem' && type !== 'block') {
    throw new ModelError(
      `metadata: storage.${name}.type: unexpected value ${JSON.stringify(type)}`,
    );
  }
  const location = textOf(fields['location'], `metadata: storage.${name}.location`) ?? '';
  checkLocation(what, type, location);
  const description = textOf(fields['description'], `metadata: storage.${name}.description`);
  return {
    name,
    type,
    ...(description === undefined ? {} : { description }),
    shared: fields['shared'] === true,
    readOnly: fields['read-only'] === true,
    ...parseCounts(what, name, fields['multiple']),
    minimumSize: parseMinimumSize(name, fields['minimum-size']),
    location,
  };
}

function checkLocation(what: string, type: string, location: string): void {
  if (location === '') {
    return;
  }
  if (type !== 'filesystem') {
    throw new ModelError(`${what}: location may not be specified for "type: ${type}"`);
  }
  if (location.startsWith(JUJU_STORAGE)) {
    throw new ModelError(
      `invalid location ${JSON.stringify(location)}: must not fall within ${JSON.stringify(JUJU_STORAGE)}`,
    );
  }
}

/** `N`, `N-M`, `N+`, `N-`; without `multiple` exactly one. */
function parseCounts(
  what: string,
  name: string,
  value: JsonValue | undefined,
): Pick<StorageMetadata, 'countMin' | 'countMax'> {
  if (value === undefined || value === null) {
    return { countMin: 1, countMax: 1 };
  }
  const path = `metadata: storage.${name}.multiple`;
  const range = scalarText(recordOf(value, path)['range']);
  const { countMin, countMax } = parseRange(path, range);
  if (countMax === 0 || (countMax !== -1 && countMax < countMin)) {
    throw new ModelError(`${what}: invalid maximum count ${countMax}`);
  }
  return { countMin, countMax };
}

function parseRange(path: string, range: string): Pick<StorageMetadata, 'countMin' | 'countMax'> {
  const [, min, sign, max] = RANGE.exec(range) ?? [];
  if (min === undefined || (sign !== '-' && max !== '')) {
    throw new ModelError(
      `${path}.range: value ${JSON.stringify(range)} does not match 'm', 'm-n', or 'm+'`,
    );
  }
  const countMin = Number(min);
  if (sign === '') {
    return { countMin, countMax: countMin };
  }
  return { countMin, countMax: max === '' ? -1 : Number(max) };
}

function parseMinimumSize(name: string, value: JsonValue | undefined): number {
  const text = scalarText(value);
  if (text === '') {
    return 0;
  }
  const size = parseSize(text);
  if (size === undefined) {
    throw new ModelError(
      `metadata: storage.${name}.minimum-size: expected a non-negative number with optional multiplier suffix (M/G/T/P/E/Z/Y), got ${JSON.stringify(text)}`,
    );
  }
  return size;
}
