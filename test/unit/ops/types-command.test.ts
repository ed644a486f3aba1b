// The command ops-types: what it writes, checks and refuses.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { runOpsTypes } from '../../../lib/ops/types-command/index.ts';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ops-types-'));
  await mkdir(join(directory, 'src'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function run(...args: readonly string[]) {
  const written = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof written) => ({
    write: (text: string) => {
      written[name] += text;
    },
  });
  const code = await runOpsTypes(args, { stdout: stream('stdout'), stderr: stream('stderr') });
  return { code, ...written };
}

async function charmcraft(text: string): Promise<void> {
  await writeFile(join(directory, 'charmcraft.yaml'), text);
}

const types = () => join(directory, 'src', 'charm-types.ts');

describe('writing', () => {
  test('gives of everything declared the types that are committed', async () => {
    const golden = 'test/fixtures/ops/typed-charm';
    const out = join(directory, 'out.ts');
    const { code, stdout } = await run(golden, '--out', out);
    expect([code, stdout]).toEqual([0, `wrote ${out}\n`]);
    const written = await readFile(out, 'utf8');
    expect(written).toBe(await readFile(join(golden, 'src', 'charm-types.ts'), 'utf8'));
  });

  test('does nothing where nothing changed', async () => {
    await charmcraft('name: probe\n');
    expect((await run(directory)).stdout).toBe(`wrote ${types()}\n`);
    expect((await run(directory)).stdout).toBe(`${types()} is up to date\n`);
  });

  test('reads the files of a packed charm as well', async () => {
    await writeFile(join(directory, 'metadata.yaml'), '{"name": "packed-charm"}');
    await writeFile(join(directory, 'config.yaml'), 'options: {port: {type: int}}');
    await writeFile(join(directory, 'actions.yaml'), 'go: {params: {far: {type: boolean}}}');
    expect((await run(directory)).code).toBe(0);
    const written = await readFile(types(), 'utf8');
    expect(written).toContain('export type PackedCharmTypes = {');
    expect(written).toContain('port: number | undefined;');
    expect(written).toContain('readonly far?: boolean;');
  });

  test('does several charms, also when one cannot be done', async () => {
    await charmcraft('name: probe\n');
    const { code, stdout, stderr } = await run(join(directory, 'nowhere'), directory);
    expect(code).toBe(1);
    expect(stdout).toBe(`wrote ${types()}\n`);
    expect(stderr).toContain(`the charm in ${directory}/nowhere: no metadata.yaml`);
  });

  test('says so when there is no place for it', async () => {
    await charmcraft('name: probe\n');
    await rm(join(directory, 'src'), { recursive: true });
    const { code, stderr } = await run(directory);
    expect(code).toBe(1);
    expect(stderr).toContain('there is no such directory');
    expect(stderr).toContain('--out');
  });
});

/** The type of the params of an action, on one line and without `readonly`. */
async function paramsOf(action: string): Promise<string> {
  await charmcraft(`name: probe\nactions:\n  go: ${action}\n`);
  await run(directory);
  const written = await readFile(types(), 'utf8');
  const [, params = ''] = /params: (.*?);\n {6}results/s.exec(written) ?? [];
  return params.replaceAll(/\s+/g, ' ').replaceAll('readonly ', '');
}

describe('params', () => {
  test.each([
    ['{params: {a: {type: string}}, required: [a]}', '{ a: string; }'],
    ['{params: {a: {type: string, default: x}}}', '{ a: string; }'],
    ['{params: {a: {type: string, default: null}}}', '{ a?: string; }'],
    [
      '{params: {a: {type: object, properties: {b: {type: object, properties: {c: {default: 1}}}}}}}',
      '{ a: { b: { c: unknown; }; }; }',
    ],
    [
      '{params: {a: {type: object, default: {}, properties: {b: {type: integer, default: 1}}}}}',
      '{ a: { b?: number; }; }',
    ],
    ['{params: {a: {type: object}}}', '{ a?: { [name: string]: unknown; }; }'],
    ['{params: {a: {type: object, additionalProperties: false}}}', '{ a?: Nothing; }'],
    [
      '{params: {a: {type: object, properties: {b: {}}, additionalProperties: {type: string}}}}',
      '{ a?: { b?: unknown; [name: string]: unknown; }; }',
    ],
    ['{params: {a: {enum: [.inf, -1, 1e+30, false]}}}', '{ a?: number | -1 | 1e30 | false; }'],
    ['{params: {a: {anyOf: [{type: string}, {}]}}}', '{ a?: unknown; }'],
    ['{params: {a: {type: array, items: [{type: string}]}}}', '{ a?: unknown[]; }'],
    [
      '{params: {a: {type: array, items: [{type: string}, {type: "null"}], additionalItems: false}}}',
      '{ a?: (string | null)[]; }',
    ],
    ['{additionalProperties: {type: integer}}', '{ [name: string]: number; }'],
    ['{}', 'Nothing'],
  ])('%s become %s', async (action, expected) => {
    expect(await paramsOf(action)).toBe(expected);
  });
});

describe('checking', () => {
  test('passes what is as it would be written, and writes nothing', async () => {
    await charmcraft('name: probe\n');
    await run(directory);
    expect(await run(directory, '--check')).toMatchObject({ code: 0, stderr: '' });
  });

  test('names the first line that is stale, and the command to run', async () => {
    await charmcraft('name: probe\nconfig: {options: {port: {type: int}}}\n');
    await run(directory);
    const before = await readFile(types(), 'utf8');
    await charmcraft('name: probe\nconfig: {options: {port: {type: int, default: 1}}}\n');
    const { code, stderr } = await run(directory, '--check');
    expect(code).toBe(1);
    expect(stderr).toContain('`port: number | undefined;`, the metadata say `port: number;`');
    expect(stderr).toContain(`npx ops-types ${directory}`);
    expect(await readFile(types(), 'utf8')).toBe(before);
  });

  test('misses a file that is not there', async () => {
    await charmcraft('name: probe\n');
    const { code, stderr } = await run(directory, '--check');
    expect([code, stderr]).toEqual([1, expect.stringContaining('does not exist')]);
  });

  test('finds the types of all our charms up to date', async () => {
    expect(await run('charms/database', 'charms/backup-manager', '--check')).toMatchObject({
      code: 0,
      stderr: '',
    });
    const example = 'test/fixtures/ops/example-charm';
    const out = join(example, 'charm-types.ts');
    expect(await run(example, '--check', '--out', out)).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('refusing', () => {
  test.each([
    ['name: [', 'it is not YAML'],
    ['summary: no name', '"name" is missing'],
    ['name: x\nconfig: {options: {a: {type: text}}}', 'option "a" has unknown type "text"'],
    ['name: x\nconfig: {options: {a: {type: int, default: b}}}', 'config.options.a.default is "b"'],
    ['name: x\nconfig: {options: {a: {type: int, default: 1.5}}}', 'config.options.a.default'],
    ['name: x\nrequires: {db: {limit: 1}}', 'requires.db has no interface'],
    [
      'name: x\nactions: {a: {params: {b: {type: text}}}}',
      'actions.a.params.b has the unknown type',
    ],
    ['name: x\nactions: {a: {params: {b: {$ref: c}}}}', 'actions.a.params.b has $ref'],
    ['name: x\nactions: {a: {params: {b: text}}}', 'actions.a.params.b'],
    ['name: x\nactions: {a: {required: b}}', 'actions.a.required is not a list'],
    ['name: x\nactions: {a: {results: {b: {type: array}}}}', 'actions.a.results.b has the type'],
    ['name: x\nactions: {a: {results: [b]}}', 'actions.a.results is not a map'],
    [
      'name: x\nactions: {a: {params: {b: {type: array, items: {type: object, properties: {c: 1}}}}}}',
      'actions.a.params.b.items.properties.c is not a map',
    ],
  ])('%j: %s', async (text, message) => {
    await charmcraft(text);
    const { code, stderr } = await run(directory);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
    expect(stderr).toContain(join(directory, 'charmcraft.yaml'));
  });

  test.each([
    [[], 'no directory'],
    [['a', 'b', '--out', 'c'], '--out is for one directory'],
    [['a', '--chekc'], '--chekc'],
  ])('arguments %j', async (args, message) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(stderr).toContain('usage: ops-types');
  });
});
