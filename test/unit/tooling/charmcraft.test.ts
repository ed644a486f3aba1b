import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { projectRoot } from '#tooling';
import { jujuFiles, parseCharmcraft } from '../../../lib/tooling/charmcraft.ts';

const CHARMCRAFT = `
type: charm
name: example
title: An example
summary: One line
description: More
base: ubuntu@24.04
platforms: {amd64:}
provides: {db: {interface: db}}
config: {options: {port: {type: int, default: 1}}}
`;

test('metadata, config and manifest come from charmcraft.yaml in the form Juju reads', () => {
  const files = jujuFiles(parseCharmcraft(CHARMCRAFT, 'charmcraft.yaml'), 'amd64');
  expect(Object.keys(files).toSorted()).toEqual(['config.yaml', 'manifest.yaml', 'metadata.yaml']);
  expect(parse(files['metadata.yaml'] ?? '')).toEqual({
    name: 'example',
    'display-name': 'An example',
    summary: 'One line',
    description: 'More',
    provides: { db: { interface: 'db' } },
  });
  expect(parse(files['config.yaml'] ?? '')).toEqual({
    options: { port: { type: 'int', default: 1 } },
  });
  expect(parse(files['manifest.yaml'] ?? '')).toMatchObject({
    bases: [{ name: 'ubuntu', architectures: ['amd64'] }, { name: 'ubuntu' }],
  });
});

test('the files are JSON, which needs no YAML parser, without characters go-yaml refuses', () => {
  const description = 'soft\u0085hyphen, \ufeffmark, ünïcödé, "quotes"\nand lines';
  const charmcraft = { name: 'example', summary: 'One line', description };
  const text = jujuFiles(charmcraft, 'amd64')['metadata.yaml'] ?? '';
  expect(JSON.parse(text)).toEqual(charmcraft);
  expect(parse(text)).toEqual(charmcraft);
  expect(text).not.toMatch(/[\u0085\ufeff]/);
});

test.each([
  ['[]', '"name" is missing'],
  ['text', 'it is not a YAML map'],
  ['name: x\nsummary: y', '"description" is missing'],
])('a malformed charmcraft.yaml (%j) is refused with the reason', (text, reason) => {
  expect(() => parseCharmcraft(text, 'here/charmcraft.yaml')).toThrow(
    `cannot read here/charmcraft.yaml: ${reason}`,
  );
});

test('every Debian and npm dependency has its line in docs/dependencies.md', async () => {
  const document = await readFile(join(projectRoot, 'docs', 'dependencies.md'), 'utf8');
  const manifest = JSON.parse(await readFile(join(projectRoot, 'package.json'), 'utf8')) as Record<
    string,
    Record<string, string>
  >;
  for (const group of ['dependencies', 'optionalDependencies', 'devDependencies']) {
    for (const name of Object.keys(manifest[group] ?? {})) {
      expect(document).toContain(`\`${name}\``);
    }
  }
});
