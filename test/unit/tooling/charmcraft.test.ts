import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { projectRoot } from '#tooling';
import { jujuFiles, parseCharmcraft } from '../../../lib/tooling/charmcraft.ts';
import { archiveName, platformsOf } from '../../../lib/tooling/platforms.ts';

const AMD64 = {
  name: 'amd64',
  base: { name: 'ubuntu', channel: '24.04' },
  architecture: 'amd64',
} as const;

const CHARMCRAFT = `
type: charm
name: example
title: An example
summary: One line
description: More
base: ubuntu@24.04
platforms: {amd64:}
links: {documentation: https://example.org, contact: Someone, source: [https://example.org/git]}
provides: {db: {interface: db}}
config: {options: {port: {type: int, default: 1}}}
`;

test('metadata, config and manifest come from charmcraft.yaml in the form Juju reads', () => {
  const files = jujuFiles(parseCharmcraft(CHARMCRAFT, 'charmcraft.yaml'), AMD64);
  expect(Object.keys(files).toSorted()).toEqual(['config.yaml', 'manifest.yaml', 'metadata.yaml']);
  expect(parse(files['metadata.yaml'] ?? '')).toEqual({
    name: 'example',
    'display-name': 'An example',
    summary: 'One line',
    description: 'More',
    provides: { db: { interface: 'db' } },
    docs: 'https://example.org',
    maintainers: ['Someone'],
    source: ['https://example.org/git'],
  });
  expect(parse(files['config.yaml'] ?? '')).toEqual({
    options: { port: { type: 'int', default: 1 } },
  });
  expect(parse(files['manifest.yaml'] ?? '')).toEqual({
    analysis: {
      attributes: [
        { name: 'language', result: 'unknown' },
        { name: 'framework', result: 'unknown' },
      ],
    },
    bases: [{ name: 'ubuntu', channel: '24.04', architectures: ['amd64'] }],
  });
});

test('the files are JSON, which needs no YAML parser, without characters go-yaml refuses', () => {
  const description = 'soft\u0085hyphen, \ufeffmark, ünïcödé, "quotes"\nand lines';
  const charmcraft = { name: 'example', summary: 'One line', description };
  const text = jujuFiles(charmcraft, AMD64)['metadata.yaml'] ?? '';
  expect(JSON.parse(text)).toEqual(charmcraft);
  expect(parse(text)).toEqual(charmcraft);
  expect(text).not.toMatch(/[\u0085\ufeff]/);
});

test('values mean what they mean to charmcraft, which reads YAML 1.1', () => {
  const text =
    'name: x\nsummary: s\ndescription: d\nconfig: {options: {a: {default: on}, b: {default: 0o17}}}';
  expect(parseCharmcraft(text, 'charmcraft.yaml')['config']).toEqual({
    options: { a: { default: true }, b: { default: '0o17' } },
  });
});

test('platforms in each form name the archive and the base as charmcraft does', () => {
  const forms = {
    'ubuntu@24.04:amd64': null,
    arm64: null,
    'cross:build': { 'build-on': ['ubuntu@22.04:amd64'], 'build-for': ['ubuntu@22.04:arm64'] },
    plain: { 'build-on': 'amd64', 'build-for': 'arm64' },
  };
  const platforms = platformsOf({ base: 'ubuntu@20.04', platforms: forms });
  expect(
    platforms.map((one) => [archiveName('x', one), one.base.channel, one.architecture]),
  ).toEqual([
    ['x_ubuntu@24.04-amd64.charm', '24.04', 'amd64'],
    ['x_arm64.charm', '20.04', 'arm64'],
    ['x_cross-build.charm', '22.04', 'arm64'],
    ['x_plain.charm', '20.04', 'arm64'],
  ]);
});

test.each([
  [{}, 'names no platforms'],
  [{ platforms: { amd64: null } }, 'platform "amd64" of charmcraft.yaml has no base'],
  [{ platforms: { 'ubuntu@24.04:s390x': null } }, 'is for "s390x"'],
])('platforms we cannot pack are refused: %j', (charmcraft, reason) => {
  expect(() => platformsOf(charmcraft)).toThrow(reason);
});

test.each([
  ['[]', 'it is not a YAML map'],
  ['{}', '"name" is missing'],
  ['text', 'it is not a YAML map'],
  ['name: x\nsummary: s', '"description" is missing'],
  ['name: [', 'it is not YAML'],
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
