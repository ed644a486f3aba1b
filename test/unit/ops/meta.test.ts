import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadCharmMeta } from '#ops';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ops-meta-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true });
});

async function put(name: string, text: string): Promise<void> {
  await writeFile(join(directory, name), text);
}

describe('the metadata of a charm', () => {
  test('are read from the files of a packed charm', async () => {
    await put(
      'metadata.yaml',
      'name: probe\nrequires:\n  db: {interface: sql, limit: 1}\n  cache: redis\npeers:\n  mates: {interface: m}\nstorage:\n  data: {type: block}\n',
    );
    await put('actions.yaml', 'wipe:\n  params: {sure: {type: boolean}}\n  required: [sure]\n');
    await put('config.yaml', 'options:\n  port: {type: int, default: 80}\n  title: {}\n');
    const meta = await loadCharmMeta(directory);
    expect(meta.name).toBe('probe');
    expect(meta.endpoints.get('db')).toMatchObject({
      role: 'requires',
      interface: 'sql',
      limit: 1,
    });
    expect(meta.endpoints.get('cache')).toMatchObject({ interface: 'redis', scope: 'global' });
    expect(meta.endpoints.get('mates')?.role).toBe('peers');
    expect(meta.options.get('port')).toMatchObject({ type: 'int', default: 80 });
    expect(meta.options.get('title')).toMatchObject({ type: 'string', default: undefined });
    expect(meta.actions.get('wipe')).toMatchObject({ required: ['sure'] });
    expect(meta.storages.get('data')?.kind).toBe('block');
  });

  test('are read from charmcraft.yaml where the charm is not packed', async () => {
    await put(
      'charmcraft.yaml',
      'name: probe\nactions: {go: {}}\nconfig: {options: {on: {type: boolean}}}\n',
    );
    const meta = await loadCharmMeta(directory);
    expect([...meta.actions.keys(), ...meta.options.keys()]).toEqual(['go', 'on']);
  });

  test.each([
    ['JSON', '{"name": "packed", "peers": {"ring": {"interface": "ring"}}}'],
    ['YAML in braces', '{name: packed, peers: {ring: {interface: ring}}}'],
  ])('may be written as %s', async (_style, text) => {
    await writeFile(join(directory, 'metadata.yaml'), text);
    const meta = await loadCharmMeta(directory);
    expect(meta.name).toBe('packed');
    expect(meta.endpoints.get('ring')?.role).toBe('peers');
  });

  test('absent, they are asked for', async () => {
    await expect(loadCharmMeta(directory)).rejects.toMatchObject({ code: 'no-metadata' });
  });

  test.each([
    ['metadata.yaml', ': [', 'it is not YAML'],
    ['metadata.yaml', 'summary: x', '"name" is missing'],
    ['metadata.yaml', '- a\n- b', '"the file" is not a map'],
    ['metadata.yaml', 'name: a\nrequires: [db]', '"requires" is not a map'],
    ['metadata.yaml', 'name: a\nrequires: {db: x}\nprovides: {db: y}', '"db" is declared twice'],
    ['config.yaml', 'options: {a: {type: text}}', 'option "a" has unknown type "text"'],
    ['actions.yaml', 'go: 5', '"actions.go" is not a map'],
  ])('%s with %j says what is wrong and where', async (name, text, reason) => {
    await put('metadata.yaml', 'name: probe');
    await put(name, text);
    await expect(loadCharmMeta(directory)).rejects.toMatchObject({
      code: 'malformed-metadata',
      message: expect.stringMatching(new RegExp(`${directory}.*: .*${escape(reason)}`)),
    });
  });
});

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
