import { describe, expect, test } from '@jest/globals';
import { DataModel, DataModelError, InvalidDataModelError, textCodec } from '#ops';
import * as fc from '../../helpers/fast-check.ts';

interface Endpoints {
  readonly readOnlyUris: readonly { readonly 'host-name': string; readonly port: number }[];
  readonly version?: string;
  readonly tlsCA?: string;
  readonly retries?: number;
}

const SCHEMA = {
  type: 'object',
  properties: {
    'read-only-uris': {
      type: 'array',
      items: {
        type: 'object',
        properties: { 'host-name': { type: 'string' }, port: { type: 'integer', default: 5432 } },
        required: ['host-name'],
      },
    },
    version: { enum: ['v1', 'v2'] },
    'tls-ca': { type: 'string' },
    retries: { type: 'integer', default: 3 },
  },
  required: ['read-only-uris'],
  additionalProperties: false,
};
const model = new DataModel<Endpoints>({ schema: SCHEMA, fields: { tlsCA: 'tls-ca' } });
const TEXTS = { 'read-only-uris': '[{"host-name":"a","port":1}]', version: '"v1"' };
const DATA = 'the data of unit pg/0 in relation database:7';

async function errorOf(run: Promise<unknown>): Promise<DataModelError> {
  const error: unknown = await run.catch((caught: unknown) => caught);
  if (!(error instanceof DataModelError)) {
    throw new Error(`no DataModelError: ${String(error)}`);
  }
  return error;
}

describe('reading', () => {
  test('decodes each value, names fields in camel case, leaves names inside of values', async () => {
    expect(await model.fromTexts({ ...TEXTS, 'tls-ca': '"PEM"', retries: '0' }, DATA)).toEqual({
      readOnlyUris: [{ 'host-name': 'a', port: 1 }],
      version: 'v1',
      tlsCA: 'PEM',
      retries: 0,
    });
  });

  test('skips keys it does not know, also where the schema allows no others', async () => {
    const texts = { ...TEXTS, 'egress-subnets': '10.0.0.5/32', readOnlyUris: 'not JSON' };
    expect(await model.fromTexts(texts, DATA)).not.toHaveProperty('egress-subnets');
  });

  test('puts in the defaults of the schema, at every depth', async () => {
    expect(await model.fromTexts({ 'read-only-uris': '[{"host-name":"a"}]' }, DATA)).toEqual({
      readOnlyUris: [{ 'host-name': 'a', port: 5432 }],
      retries: 3,
    });
  });

  test('tells key, place, rule and reason of what does not fit, and no value', async () => {
    const texts = { 'read-only-uris': '[{"host-name":"a","port":"geheim"}]', version: '"geheim"' };
    const error = await errorOf(model.fromTexts(texts, DATA));
    expect(error.problems).toEqual([
      {
        key: 'read-only-uris',
        path: '/0/port',
        schemaPath: '#/properties/read-only-uris/items/properties/port/type',
        reason: 'must be of type integer',
      },
      {
        key: 'version',
        path: '',
        schemaPath: '#/properties/version/enum',
        reason: 'must be one of "v1", "v2"',
      },
    ]);
    expect(error.message).toBe(
      'cannot read the data of unit pg/0 in relation database:7: key "read-only-uris" at /0/port must be of type integer (schema #/properties/read-only-uris/items/properties/port/type); key "version" must be one of "v1", "v2" (schema #/properties/version/enum)',
    );
    expect(error.summary).toBe(
      '"read-only-uris" at /0/port must be of type integer; "version" must be one of "v1", "v2"',
    );
    expect(error).toMatchObject({ subject: DATA, code: 'invalid-data', isEmpty: false });
  });

  test('of what is not JSON quotes nothing, not even in its cause', async () => {
    const error = await errorOf(model.fromTexts({ ...TEXTS, version: 'geheim {' }, DATA));
    expect(error.problems).toEqual([
      { key: 'version', path: '', schemaPath: undefined, reason: 'is not JSON' },
    ]);
    expect(error.cause).toBeUndefined();
    expect(error.stack).not.toContain('geheim');
  });

  test.each([{}, { 'read-only-uris': '', 'private-address': '10.0.0.5' }])(
    'of nothing (%j) says that nothing is there',
    async (texts) => {
      const error = await errorOf(model.fromTexts(texts, DATA));
      expect(error).toMatchObject({ isEmpty: true, code: 'no-data' });
      expect(error.message).toContain('key "read-only-uris" is missing');
    },
  );

  test('of thousands of mistakes tells the first few', async () => {
    const uris = JSON.stringify(Array.from({ length: 5000 }, () => ({})));
    const error = await errorOf(model.fromTexts({ 'read-only-uris': uris }, DATA));
    expect(error.problems).toHaveLength(5);
  });
});

describe('writing', () => {
  const value: Endpoints = { readOnlyUris: [{ 'host-name': 'a', port: 1 }], version: 'v1' };

  test('encodes each field under its key; what is absent or undefined is erased', async () => {
    const more = { ...value, tlsCA: undefined as unknown as string, other: 'skipped' };
    expect(await model.toTexts(more, DATA)).toEqual({ ...TEXTS, 'tls-ca': '', retries: '' });
  });

  test('refuses what does not fit, and fills in no defaults for the reader', async () => {
    const wrong = { readOnlyUris: [{ 'host-name': 'a' }], retries: Number.NaN };
    const error = await errorOf(model.toTexts(wrong as never, DATA));
    expect(error.message).toBe(
      'cannot write the data of unit pg/0 in relation database:7: key "retries" must be of type integer (schema #/properties/retries/type)',
    );
    const error2 = await errorOf(model.toTexts({} as never, DATA));
    expect(error2.summary).toBe('"read-only-uris" is missing');
  });

  test.each([[10n], [() => 1], [Symbol('s')]])('refuses what cannot be JSON', async (wrong) => {
    const error = await errorOf(model.toTexts({ ...value, retries: wrong as never }, DATA));
    expect(error.summary).toBe('"retries" cannot be encoded');
  });

  test('and reading undo each other', async () => {
    const uris = fc.array(fc.record({ 'host-name': fc.string(), port: fc.integer() }));
    const values = fc.record(
      {
        readOnlyUris: uris,
        version: fc.constantFrom('v1', 'v2'),
        tlsCA: fc.string(),
        retries: fc.nat(),
      },
      { requiredKeys: ['readOnlyUris', 'retries'] },
    );
    await fc.assert(
      fc.asyncProperty(values, async (given) => {
        expect(await model.fromTexts(await model.toTexts(given, DATA), DATA)).toEqual(given);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a codec', () => {
  const plain = new DataModel<{ username?: string; password: string }>({
    schema: {
      properties: { username: { type: 'string' }, password: { type: 'string', minLength: 3 } },
      required: ['password'],
    },
    codec: textCodec,
  });

  test('writes and reads plain texts', async () => {
    const texts = await plain.toTexts({ password: '"quoted"' }, DATA);
    expect(texts).toEqual({ username: '', password: '"quoted"' });
    expect(await plain.fromTexts(texts, DATA)).toEqual({ password: '"quoted"' });
  });

  test('that cannot say what is asked of it, or says nothing, writes nothing', async () => {
    const number = await errorOf(plain.toTexts({ password: 5 as never }, DATA));
    expect(number.summary).toBe('"password" cannot be encoded');
    expect((await errorOf(plain.toTexts({ password: '' }, DATA))).summary).toBe(
      '"password" is missing',
    );
    expect((await errorOf(plain.toTexts({ password: 'ab' }, DATA))).summary).toContain(
      'must NOT have fewer than 3 characters',
    );
  });

  test('of one’s own is told the key', async () => {
    const numbers = new DataModel<{ a: number }>({
      schema: { properties: { a: { type: 'number' } } },
      codec: {
        encode: (value, key) => `${key}:${Number(value)}`,
        decode: (text) => Number(text.split(':')[1]),
      },
    });
    expect(await numbers.toTexts({ a: 4 }, DATA)).toEqual({ a: 'a:4' });
    expect(await numbers.fromTexts({ a: 'a:4' }, DATA)).toEqual({ a: 4 });
  });
});

describe('a schema', () => {
  test('may be of draft 2019-09, refer to others, and spread its keys', async () => {
    const item = { $id: 'https://example.com/item', type: 'object', required: ['id'] };
    const spread = new DataModel<{ items: unknown[]; kind: string }>({
      schema: {
        $schema: 'https://json-schema.org/draft/2019-09/schema',
        $defs: { base: { properties: { items: { items: { $ref: item.$id } } } } },
        allOf: [
          { $ref: '#/$defs/base' },
          { dependentSchemas: { items: { properties: { kind: true } } } },
        ],
      },
      references: [item],
    });
    expect(spread.keys.toSorted()).toEqual(['items', 'kind']);
    expect(await spread.fromTexts({ items: '[{"id":1}]', kind: '"x"' }, DATA)).toEqual({
      items: [{ id: 1 }],
      kind: 'x',
    });
    const error = await errorOf(spread.fromTexts({ items: '[{}]' }, DATA));
    expect(error.summary).toBe('"items" at /0/id is missing');
  });

  test.each<[string, ConstructorParameters<typeof DataModel>[0], RegExp]>([
    ['names no keys', { schema: { type: 'object' } }, /names no properties/],
    [
      'has two keys of one field',
      { schema: { properties: { 'a-b': {}, aB: {} } } },
      /keys "a-b" and "aB" would both be field "aB"/,
    ],
    ['lacks a key of a field', { schema: SCHEMA, fields: { x: 'nope' } }, /the key "nope"/],
    [
      'has two fields of one key',
      { schema: SCHEMA, fields: { x: 'tls-ca', y: 'tls-ca' } },
      /names a key twice/,
    ],
  ])('that %s is refused at once', (_, options, message) => {
    expect(() => new DataModel(options)).toThrow(message);
    expect(() => new DataModel(options)).toThrow(InvalidDataModelError);
  });

  test.each([
    [{ $schema: 'http://json-schema.org/draft-07/schema#' }, /neither .* 2019-09 nor 2020-12/],
    [{ proprties: {} }, /unknown keyword: "proprties"/],
    [{ properties: { a: { type: 'strnig' } } }, /does not compile/],
    [{ $ref: 'https://example.com/absent' }, /does not compile/],
  ])('that cannot be used (%j) is refused when it is', async (change, message) => {
    const broken = new DataModel({ schema: { properties: { a: {} }, ...change } });
    await expect(broken.fromTexts({}, DATA)).rejects.toThrow(message);
    await expect(broken.fromTexts({}, DATA)).rejects.toThrow(InvalidDataModelError);
  });
});
