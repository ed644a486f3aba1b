/** Generators of databag documents: valid ones, and ones spoilt in a place or two. */
import * as fc from 'fast-check';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const text = fc.oneof(fc.string(), fc.constantFrom('backup', 's3', '__proto__', ''));

const storageConfig = fc.record(
  {
    bucket: text,
    'access-key': text,
    'secret-key': text,
    path: text,
    endpoint: text,
    region: text,
    's3-uri-style': text,
    'storage-class': text,
    'tls-ca-chain': fc.array(text, { maxLength: 2 }),
    's3-api-version': fc.constantFrom(2, 4),
    attributes: fc.array(text, { maxLength: 2 }),
    'some-extension': fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>,
  },
  { requiredKeys: ['bucket', 'access-key', 'secret-key'] },
);

const shared = {
  'job-id': text,
  'job-type': fc.constantFrom('backup', 'restore'),
  'job-config': fc.record({ compression: fc.boolean() }),
  'storage-interface': fc.constant('s3'),
  'storage-config': storageConfig,
  'artefact-path': text,
  label: fc.jsonValue({ maxDepth: 1 }) as fc.Arbitrary<Json>,
};

const job = fc.record(shared, {
  requiredKeys: ['job-id', 'job-type', 'job-config', 'storage-interface', 'storage-config'],
});

const status = fc.record(
  { ...shared, status: fc.constantFrom('running', 'success', 'error'), message: text },
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
      features: fc.array(text, { maxLength: 2 }),
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
