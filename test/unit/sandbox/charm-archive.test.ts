import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ZipFile } from 'yazl';
import { parseActions, prepareParams } from '../../../lib/sandbox/charm-archive/action-specs.ts';
import { convertOption, parseOptions } from '../../../lib/sandbox/charm-archive/config-options.ts';
import { loadCharm } from '../../../lib/sandbox/charm-archive/load-charm.ts';
import { parseMetadata } from '../../../lib/sandbox/charm-archive/metadata.ts';
import { unpackCharm } from '../../../lib/sandbox/charm-archive/unpack-charm.ts';

let scratch = '';
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'charm-'));
});
afterAll(async () => {
  await rm(scratch, { recursive: true });
});

describe('unpacking a charm', () => {
  test('keeps permission bits and symbolic links, and makes hooks executable', async () => {
    const path = await zip('good.charm', (file) => {
      file.addBuffer(Buffer.from('#!/bin/sh\n'), 'dispatch', { mode: 0o100755 });
      file.addBuffer(Buffer.from('#!/bin/sh\n'), 'hooks/install', { mode: 0o100644 });
      file.addBuffer(Buffer.from('name: x\n'), 'metadata.yaml', { mode: 0o100640 });
      file.addBuffer(Buffer.from('../dispatch'), 'hooks/start', { mode: 0o120777 });
    });
    const target = join(scratch, 'good');
    await unpackCharm(path, target);

    const mode = async (name: string) => (await stat(join(target, name))).mode & 0o777;
    expect(await mode('dispatch')).toBe(0o755);
    expect(await mode('hooks/install')).toBe(0o744);
    expect(await mode('metadata.yaml')).toBe(0o640);
    expect(await readlink(join(target, 'hooks/start'))).toBe('../dispatch');
  });

  test.each([
    ['/etc/passwd', 'links out of charm'],
    ['../../outside', 'links out of charm'],
  ])('refuses a symbolic link to %s', async (link, message) => {
    const path = await zip('link.charm', (file) => {
      file.addBuffer(Buffer.from(link), 'hooks/x', { mode: 0o120777 });
    });
    await expect(unpackCharm(path, join(scratch, `link-${link.length}`))).rejects.toThrow(message);
  });

  test('refuses a path that leaves the charm', async () => {
    const path = await zip('escape.charm', (file) => {
      file.addBuffer(Buffer.from('x'), 'aa/bb', { mode: 0o100644 });
    });
    const bytes = await readFile(path);
    const evil = Buffer.from(bytes.toString('latin1').replaceAll('aa/bb', '../bb'), 'latin1');
    await writeFile(path, evil);
    await expect(unpackCharm(path, join(scratch, 'escape'))).rejects.toThrow('../bb');
  });

  test('says what is no charm', async () => {
    const text = join(scratch, 'text.charm');
    await writeFile(text, 'not a zip at all');
    await expect(unpackCharm(text, join(scratch, 'text'))).rejects.toThrow(
      'zip: not a valid zip file',
    );
    await expect(unpackCharm('/no/such/charm', join(scratch, 'none'))).rejects.toThrow(
      'no charm was found at "/no/such/charm"',
    );
    const empty = join(scratch, 'empty');
    await mkdir(empty);
    await expect(loadCharm(empty)).rejects.toThrow('archive file "metadata.yaml" not found');
  });
});

describe('metadata of a charm', () => {
  test('come from charmcraft.yaml as well', async () => {
    const directory = join(scratch, 'craft');
    await mkdir(directory);
    await writeFile(
      join(directory, 'charmcraft.yaml'),
      'name: x\nsummary: s\nbase: ubuntu@22.04\nrequires: {db: {interface: i, limit: 1}}\nconfig: {options: {n: {type: int, default: 3}}}\nactions: {go: {description: Go}}\n',
    );
    const metadata = await loadCharm(directory);
    expect(metadata.endpoints['db']).toEqual({
      name: 'db',
      role: 'requirer',
      interface: 'i',
      scope: 'global',
      limit: 1,
    });
    expect(metadata.options['n']).toEqual({ type: 'int', default: 3 });
    expect(Object.keys(metadata.actions)).toEqual(['go']);
    expect(metadata.base).toEqual({ name: 'ubuntu', channel: '22.04' });
  });

  test.each([
    [{ name: 'Bad_Name' }, 'invalid charm name'],
    [{ name: 'x', provides: { 'juju-x': { interface: 'i' } } }, 'using a reserved relation name'],
    [{ name: 'x', provides: { a: { interface: 'juju' } } }, 'using a reserved interface'],
    [
      { name: 'x', provides: { a: { interface: 'i' } }, peers: { a: { interface: 'i' } } },
      'using a duplicated relation name: "a"',
    ],
    [{ name: 'x', subordinate: true }, 'lacks "requires" relation with container scope'],
  ])('%j is refused', (document, message) => {
    expect(() => parseMetadata(document)).toThrow(message);
  });
});

describe('config options', () => {
  const options = parseOptions({
    options: {
      n: { type: 'int' },
      f: { type: 'float' },
      b: { type: 'boolean' },
      s: {},
      k: { type: 'secret' },
    },
  });

  test.each([
    ['n', '3', 3],
    ['n', -4, -4],
    ['f', '1.5', 1.5],
    ['b', 'true', true],
    ['b', 'False', false],
    ['s', '', ''],
    ['k', 'secret:9m4e2mr0ui3e8a215n4g', 'secret:9m4e2mr0ui3e8a215n4g'],
  ])('%s takes %j', (name, value, expected) => {
    expect(convertOption(options, name, value)).toBe(expected);
  });

  test.each([
    ['n', 'abc', 'option "n" expected int, got "abc"'],
    ['n', 1.5, 'option "n" expected int, got 1.5'],
    ['b', 'yes', 'option "b" expected boolean, got "yes"'],
    ['k', 'word', 'option "k" expected secret, got "word"'],
    ['zz', '1', 'unknown option "zz"'],
  ])('%s refuses %j', (name, value, message) => {
    expect(() => convertOption(options, name, value)).toThrow(message);
  });

  test('defaults and types are checked', () => {
    expect(() => parseOptions({})).toThrow('invalid config: empty configuration');
    expect(() => parseOptions({ options: { x: { type: 'list' } } })).toThrow(
      'invalid config: option "x" has unknown type "list"',
    );
    expect(() => parseOptions({ options: { x: { type: 'int', default: 'a' } } })).toThrow(
      'invalid config default: option "x" expected int, got "a"',
    );
  });
});

describe('action parameters', () => {
  const { go } = parseActions('x', {
    go: {
      params: {
        out: { type: 'string', default: 'o.tgz' },
        count: { type: 'integer', minimum: 0, exclusiveMinimum: true },
        opts: { type: 'object', properties: { level: { type: 'integer', default: 2 } } },
      },
      required: ['count'],
    },
  });
  if (go === undefined) {
    throw new Error('no action');
  }

  test('get defaults, nested ones too', () => {
    expect(prepareParams(go, { count: 1, extra: true })).toEqual({
      count: 1,
      extra: true,
      out: 'o.tgz',
      opts: { level: 2 },
    });
  });

  test.each([
    [{}, '(root) : "count" property is missing and required, given {}'],
    [{ count: 'x' }, '(root).count : must be of type integer, given "x"'],
    [{ count: 0 }, '(root).count : must be > 0, given 0'],
  ])('%j is refused', (params, message) => {
    expect(() => prepareParams(go, params)).toThrow(`validation failed: ${message}`);
  });

  test('names and schemas Juju refuses are refused', () => {
    expect(() => parseActions('x', { Bad_Name: {} })).toThrow('bad action name Bad_Name');
    expect(() => parseActions('x', { 'juju-x': {} })).toThrow('the "juju-" prefix is reserved');
    expect(() => parseActions('x', { a: { params: { b: { $ref: '#' } } } })).toThrow('"$ref"');
  });
});

async function zip(name: string, fill: (file: ZipFile) => void): Promise<string> {
  const file = new ZipFile();
  fill(file);
  file.end();
  const path = join(scratch, name);
  await pipeline(file.outputStream, createWriteStream(path));
  return path;
}
