/** Juju's rules for `storage` of metadata.yaml. https://github.com/juju/charm/blob/v12/meta.go */
import type { JsonRecord, JsonValue } from '#system';
import { expectType, isMap, mapsOf, quote, type Report } from './document.ts';

const RANGE = /^(?<min>\d+)(?:(?<open>[-+])|-(?<max>\d+))?$/;
const SIZE = /^\d+(?:\.\d+)?(?:[MGTPEZY](?:i?B)?)?$/;
// Where Juju itself mounts.
const JUJU_STORAGE = '/var/lib/juju/storage';

/** Reports what Juju would refuse. */
export function checkStorage(value: JsonValue | undefined, report: Report): void {
  for (const [name, store] of mapsOf(value, 'metadata.yaml: storage', report)) {
    const what = `metadata.yaml: storage.${name}`;
    const { type, location, multiple } = store;
    if (type !== 'filesystem' && type !== 'block') {
      report(`${what}.type: has to be filesystem or block, not ${quote(type)}`);
    }
    expectType(store['shared'], 'boolean', `${what}.shared`, report);
    expectType(store['read-only'], 'boolean', `${what}.read-only`, report);
    expectType(store['description'], 'string', `${what}.description`, report);
    expectType(location, 'string', `${what}.location`, report);
    if (typeof location === 'string' && location !== '') {
      checkLocation(location, type, what, report);
    }
    if (multiple !== undefined) {
      checkRange(isMap(multiple) ? multiple['range'] : multiple, what, report);
    }
    checkSizeAndProperties(store, what, report);
  }
}

function checkLocation(
  location: string,
  type: JsonValue | undefined,
  what: string,
  report: Report,
): void {
  if (type !== 'filesystem') {
    report(`${what}: location may not be specified for type ${quote(type)}`);
  }
  if (location.startsWith(JUJU_STORAGE)) {
    report(`${what}.location: must not fall within ${JUJU_STORAGE}`);
  }
}

function checkRange(range: JsonValue | undefined, what: string, report: Report): void {
  const isScalar = typeof range === 'string' || typeof range === 'number';
  const { min, open, max } = (isScalar ? RANGE.exec(String(range))?.groups : undefined) ?? {};
  if (min === undefined) {
    report(`${what}.multiple.range: ${quote(range)} does not match N, N-M, N+ or N-`);
    return;
  }
  const most = open === undefined ? Number(max ?? min) : Number.POSITIVE_INFINITY;
  if (most === 0 || most < Number(min)) {
    report(`${what}.multiple.range: invalid maximum count ${most}`);
  }
}

function checkSizeAndProperties(store: JsonRecord, what: string, report: Report): void {
  const size = store['minimum-size'];
  if (size !== undefined && !(typeof size !== 'object' && SIZE.test(String(size)))) {
    report(`${what}.minimum-size: expected a number with M, G, T …, got ${quote(size)}`);
  }
  const properties = store['properties'] ?? [];
  if (!Array.isArray(properties) || properties.some((one) => one !== 'transient')) {
    report(`${what}.properties: may list "transient" only, got ${quote(properties)}`);
  }
}
