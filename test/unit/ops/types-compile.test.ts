// What ops-types writes, before the real compiler and the real formatter.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runProcess } from '#system';
import { runOpsTypes } from '../../../lib/ops/types-command/index.ts';
import * as fc from '../../helpers/fast-check.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ops-types-'));
  await writeFile(join(directory, 'package.json'), '{"type": "module"}');
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

/** What the compiler says of some files, with the settings of this project. */
async function compile(name: string, files: readonly string[]): Promise<string> {
  const project = join(directory, `${name}.json`);
  const options = {
    paths: { '#ops': [resolve('lib/ops/index.ts')] },
    typeRoots: [resolve('node_modules/@types')],
  };
  await writeFile(
    project,
    JSON.stringify({
      extends: resolve('tsconfig.json'),
      compilerOptions: options,
      include: [],
      files,
    }),
  );
  return await output('node_modules/typescript/bin/tsc', '--project', project);
}

async function output(program: string, ...args: readonly string[]): Promise<string> {
  const ended = await runProcess(process.execPath, [resolve(program), ...args], {
    cwd: directory,
    timeoutMs: 60_000,
    acceptExitCodes: [0, 1, 2],
  });
  return `${ended.stdout}${ended.stderr}`;
}

describe('a charm with types', () => {
  const fixture = resolve('test/fixtures/ops/typed-charm/src/charm.ts');

  test('compiles, and does not with any of the slips marked in it', async () => {
    expect(await compile('slips', [fixture])).toBe('');
  });

  test('has an error for each slip where nothing expects one', async () => {
    const types = resolve('test/fixtures/ops/typed-charm/src/charm-types.ts');
    const source = await readFile(fixture, 'utf8');
    const marks = source.split('@ts-expect-error').length - 2;
    const bare = source
      .replaceAll('// @ts-expect-error', '//')
      .replace("'./charm-types.ts'", `'${types}'`)
      .replace("'#ops/testing'", `'${resolve('lib/ops/testing/index.ts')}'`);
    await writeFile(join(directory, 'bare.ts'), bare);
    const said = await compile('bare', [join(directory, 'bare.ts')]);
    expect(said.match(/^bare\.ts\(\d+/gm) ?? []).toHaveLength(marks);
    expect(said).toContain(`'"tol"' is not assignable to parameter of type '"tool"'`);
  });
});

describe('types of any metadata', () => {
  test('compile, fit CharmBase, and are formatted', async () => {
    const seed = Date.now();
    const samples = fc.sample(metadata(), { numRuns: 60, seed });
    const folder = await mkdtemp(join(directory, 'any-'));
    const modules = samples.map((_, index) => join(folder, `types-${index}.ts`));
    for (const [index, sample] of samples.entries()) {
      const charm = join(folder, `charm-${index}`);
      // oxlint-disable-next-line no-await-in-loop
      await mkdir(charm);
      // oxlint-disable-next-line no-await-in-loop
      await writeFile(join(charm, 'charmcraft.yaml'), JSON.stringify(sample));
      // oxlint-disable-next-line no-await-in-loop
      expect(await generate(charm, modules[index] ?? '')).toBe('');
    }
    await writeFile(join(folder, 'use.ts'), usesOf(modules));
    const said = await compile('any', [join(folder, 'use.ts'), ...modules]);
    expect({ seed, said }).toEqual({ seed, said: '' });

    await writeFile(join(directory, 'biome.json'), await formatterSettings());
    const format = ['format', ...modules];
    const formatted = await output('node_modules/@biomejs/biome/bin/biome', ...format);
    expect({ seed, formatted }).toEqual({
      seed,
      formatted: expect.stringMatching(/^Checked 60 files[^\n]*\n?$/),
    });
  });
});

async function generate(charm: string, out: string): Promise<string> {
  let said = '';
  const stderr = {
    write: (text: string) => {
      said += text;
    },
  };
  await runOpsTypes([charm, '--out', out], { stdout: { write: () => undefined }, stderr });
  return said;
}

/** Each charm can be given to a library, which knows nothing of its types. */
function usesOf(modules: readonly string[]): string {
  const uses = modules.map((module, index) =>
    [
      `import type { ProbeTypes as Types${index} } from '${module}';`,
      `declare const charm${index}: CharmBase<Types${index}>;`,
      `export const plain${index}: CharmBase = charm${index};`,
    ].join('\n'),
  );
  return [`import type { CharmBase } from '#ops';`, ...uses].join('\n');
}

async function formatterSettings(): Promise<string> {
  const { formatter, javascript } = JSON.parse(await readFile('biome.json', 'utf8')) as Readonly<
    Record<string, unknown>
  >;
  return JSON.stringify({ root: true, formatter, javascript });
}

function metadata(): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const endpoint = fc.record(
    {
      interface: fc.constantFrom('sql', 'a"b', "it's"),
      limit: fc.nat({ max: 9 }),
      scope: fc.constantFrom('global', 'container'),
    },
    { requiredKeys: ['interface'] },
  );
  return fc.record({
    name: fc.constant('probe'),
    provides: named(endpoint, 'p-'),
    requires: named(endpoint, 'r-'),
    peers: named(endpoint, 'e-'),
    config: fc.record({ options: named(option()) }),
    actions: named(action()),
    storage: named(
      fc.record({
        type: fc.constantFrom('filesystem', 'block'),
        multiple: fc.constantFrom({ range: '0-' }, { range: 2 }, undefined),
      }),
    ),
    resources: named(fc.record({ type: fc.constant('file'), description: doc() })),
    'extra-bindings': named(fc.constant(null)),
  });
}

function named<T>(value: fc.Arbitrary<T>, prefix = ''): fc.Arbitrary<Record<string, T>> {
  const name = fc.oneof(
    fc.constantFrom('a', 'b-c', 'constructor', '__proto__', '3', 'd.e', "it's", 'Nothing', '[x]'),
    fc.string({ minLength: 1, maxLength: 40 }),
    fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }),
  );
  return fc
    .array(fc.tuple(name, value), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries.map(([key, one]) => [`${prefix}${key}`, one])));
}

function doc(): fc.Arbitrary<string | undefined> {
  const words = fc.array(fc.oneof(fc.lorem(), fc.constantFrom('*/', '\n', '/*', '*', '\u2028')));
  return fc.option(
    words.map((all) => all.join(' ')),
    { nil: undefined },
  );
}

function option(): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  return fc.oneof(
    fc.record({ type: fc.constant('string'), default: fc.string(), description: doc() }),
    fc.record({ type: fc.constant('int'), default: fc.integer() }),
    fc.record({ type: fc.constant('boolean'), default: fc.boolean(), description: doc() }),
    fc.record({ type: fc.constantFrom('string', 'int', 'float', 'boolean', 'secret') }),
  );
}

function action(): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  return fc.record(
    {
      description: doc(),
      params: named(schema()),
      required: fc.constantFrom(['a'], ['b-c', 'a']),
      additionalProperties: fc.oneof(fc.boolean(), schema()),
      results: named(result()),
    },
    { requiredKeys: [] },
  );
}

function schema(): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const scalar = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.string({ maxLength: 5, unit: 'binary' }),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.constant(null),
  );
  return fc.letrec<{ node: Readonly<Record<string, unknown>> }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      fc.record(
        {
          type: fc.constantFrom('string', 'integer', 'number', 'boolean', 'null'),
          default: scalar,
          description: doc(),
        },
        { requiredKeys: ['type'] },
      ),
      fc.record({ enum: fc.array(scalar, { minLength: 1, maxLength: 8 }) }),
      fc.record({ type: fc.array(fc.constantFrom('string', 'null', 'object', 'array')) }),
      fc.record({ type: fc.constant('array'), items: tie('node') }),
      fc.record({ oneOf: fc.array(tie('node'), { maxLength: 3 }) }),
      fc.record(
        {
          type: fc.constantFrom<unknown>('object', ['object', 'null'], ['string', 'object']),
          properties: named(tie('node')),
          required: fc.constantFrom(['a'], ['b-c']),
          additionalProperties: fc.oneof(fc.boolean(), tie('node')),
        },
        { requiredKeys: ['type'] },
      ),
    ),
  })).node;
}

function result(): fc.Arbitrary<Readonly<Record<string, unknown>>> {
  const scalar = fc.record({
    type: fc.constantFrom('string', 'integer', 'number', 'boolean', 'object', undefined),
    description: doc(),
  });
  return fc.oneof(
    scalar,
    fc.record({ type: fc.constant('object'), properties: named(scalar) }),
    fc.record({ type: fc.constant('string'), enum: fc.array(fc.string(), { minLength: 1 }) }),
  );
}
