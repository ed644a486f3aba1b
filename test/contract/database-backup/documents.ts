/** Generators of databag documents: valid ones, and ones spoilt in a place or two. */
import * as fc from '../../helpers/fast-check.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const text = fc.oneof(fc.string(), fc.constantFrom('backup', 's3', '__proto__', ''));

const anything = fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>;
const time = fc.constantFrom('2026-11-22T00:00:00Z', 'yesterday');

/** An extension in its own form, or in any other: the interface does not care. */
function extension(form: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 3, arbitrary: form }, { weight: 1, arbitrary: anything });
}

const seconds = fc.integer({ min: 1, max: 1e6 });
const reference = fc.constantFrom(
  'secret:9m4e2mr0ui3e8a215n4g',
  'secret://f0000000-0000-4000-8000-000000000000/9m4e2mr0ui3e8a215n4g',
);

const storageConfig = fc.record(
  {
    bucket: text,
    'access-key': fc.oneof(text, reference),
    'secret-key': fc.oneof(text, reference),
    path: text,
    endpoint: text,
    region: text,
    's3-uri-style': text,
    'storage-class': text,
    'tls-ca-chain': fc.array(text, { maxLength: 2 }),
    's3-api-version': fc.constantFrom(2, 4),
    attributes: fc.array(text, { maxLength: 2 }),
    'some-extension': anything,
  },
  { requiredKeys: ['bucket', 'access-key', 'secret-key'] },
);

const jobExtensions = {
  'requested-at': extension(time),
  label: extension(text),
  deadline: extension(
    fc.record(
      { 'start-seconds': seconds, 'run-seconds': seconds, 'stall-seconds': seconds },
      { requiredKeys: [] },
    ),
  ),
  cancel: extension(fc.boolean()),
  'dry-run': extension(fc.boolean()),
  'undo-of': extension(text),
  force: extension(fc.boolean()),
};

const statusExtensions = {
  phase: extension(fc.constantFrom('queued', 'running', 'verifying')),
  progress: extension(
    fc.record(
      { bytes: fc.nat(), total: fc.nat(), percent: fc.nat(100), 'eta-seconds': fc.nat() },
      { requiredKeys: ['bytes'] },
    ),
  ),
  queue: extension(
    fc.record({ position: fc.nat(), 'waits-for': fc.array(text, { maxLength: 2 }) }),
  ),
  'error-code': extension(text),
  hint: extension(text),
  size: extension(fc.nat()),
  'stored-size': extension(fc.nat()),
  'requested-at': extension(time),
  'started-at': extension(time),
  'finished-at': extension(time),
  'log-tail': extension(fc.array(text, { maxLength: 3 })),
  report: extension(text),
  'undoable-until': extension(time),
};

const shared = {
  'job-id': text,
  'job-type': fc.constantFrom('backup', 'restore'),
  'job-config': fc.record({ compression: fc.boolean() }),
  'storage-interface': fc.constant('s3'),
  'storage-config': storageConfig,
  'artefact-path': text,
  'some-extension': anything,
};

const job = fc.record(
  { ...shared, ...jobExtensions },
  { requiredKeys: ['job-id', 'job-type', 'job-config', 'storage-interface', 'storage-config'] },
);

const status = fc.record(
  {
    ...shared,
    ...statusExtensions,
    status: fc.constantFrom('running', 'success', 'error'),
    message: text,
  },
  { requiredKeys: ['job-id', 'job-type', 'status', 'storage-interface', 'storage-config'] },
);

/** Databags the interface accepts. */
export const requirerDatabags = databagOf(job);
export const providerDatabags = databagOf(status);

/** The same with up to two places replaced, dropped or added to; most are no longer acceptable. */
export function spoilt(documents: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  const change = fc.record({
    where: fc.nat(),
    how: fc.constantFrom('replace', 'drop', 'add'),
    value: fc.oneof(
      fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>,
      fc.constantFrom<Json>(2, 3, 4.0, 4.5, 'success', 'restore', [], {}, [1], { compression: 1 }),
    ),
  });
  return fc
    .tuple(documents, fc.array(change, { minLength: 1, maxLength: 2 }))
    .map(([document, changes]) => changes.reduce(applyChange, structuredClone(document)));
}

function databagOf(item: fc.Arbitrary<unknown>): fc.Arbitrary<Json> {
  return fc.record(
    {
      jobs: fc.array(item, { maxLength: 3 }),
      features: extension(fc.array(text, { maxLength: 2 })),
    },
    { requiredKeys: ['jobs'] },
  ) as fc.Arbitrary<Json>;
}

interface Change {
  readonly where: number;
  readonly how: string;
  readonly value: Json;
}

function applyChange(document: Json, change: Change): Json {
  // A value put into a document twice must not be one object: it could end up inside itself.
  const value = structuredClone(change.value);
  const places = placesIn(document);
  const place = places[change.where % Math.max(places.length, 1)];
  if (place === undefined) {
    return value;
  }
  if (change.how === 'add' && !Array.isArray(place.parent)) {
    place.parent['added'] = value;
  } else if (change.how === 'drop' && !Array.isArray(place.parent)) {
    delete place.parent[place.key];
  } else {
    (place.parent as Record<string, Json>)[place.key] = value;
  }
  return document;
}

function placesIn(value: Json): { parent: Json[] | { [key: string]: Json }; key: string }[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  const here = Object.keys(value).map((key) => ({ parent: value, key }));
  return [...here, ...Object.values(value).flatMap(placesIn)];
}
