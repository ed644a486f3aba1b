/** The archives of both charms for all their platforms: what is in them, and that they are always the same. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { parse, stringify } from 'yaml';
import { describeError, HintError, runProcess } from '#system';
import { type PackedCharm, packCharm, projectRoot } from '#tooling';
import { elfMachine } from '../../../lib/tooling/charm-rules/entries.ts';
import { readArchive } from '../../../lib/tooling/charm-rules/read-archive.ts';
import { writeCharmcraftProject } from '../../../lib/tooling/charmcraft-project.ts';
import { nodePackage, requireIntegrity } from '../../../lib/tooling/fetch-node.ts';
import { charmProblems } from '../../../lib/tooling/validate-charm.ts';
import { zipDirectory } from '../../../lib/tooling/zip-directory.ts';
import { packedCharm } from '../../helpers/packed-charms.ts';

jest.setTimeout(300_000);

const CHARMS = ['database', 'backup-manager'] as const;
const HERE = process.arch === 'arm64' ? 'arm64' : 'amd64';
const OTHER = HERE === 'arm64' ? 'amd64' : 'arm64';

let root = '';
const packed: Record<string, PackedCharm> = {};
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'packed-archives-'));
  for (const name of CHARMS) {
    packed[name] = await packedCharm(name);
  }
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});

function archiveOf(name: string): PackedCharm {
  const charm = packed[name];
  if (charm === undefined) {
    throw new Error(`${name} is not packed`);
  }
  return charm;
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

describe.each(CHARMS)('%s', (name) => {
  test('has all that Juju and people look for, and no more', async () => {
    const { path } = archiveOf(name);
    expect(basename(path)).toBe(`${name}_ubuntu@24.04-${HERE}.charm`);
    const entries = await readArchive(path);
    const atRoot = new Set(entries.map((entry) => entry.name.split('/', 1)[0] ?? ''));
    expect([...atRoot].toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'LICENSE',
      'README.md',
      'actions.yaml',
      'bin',
      'config.yaml',
      'dispatch',
      'icon.svg',
      'manifest.yaml',
      'metadata.yaml',
      'src',
    ]);
    const executable = entries.filter(({ mode }) => (mode & 0o111) !== 0);
    expect(executable.map((entry) => entry.name)).toEqual(['bin/node', 'dispatch']);
    expect(entries.map(({ mode }) => mode & 0o777)).not.toContain(0o666);
    expect(
      JSON.parse(entries.find((one) => one.name === 'metadata.yaml')?.text ?? ''),
    ).toMatchObject({
      name,
      assumes: ['juju >= 3.6'],
    });
  });

  test('passes on the licences of what is in it', async () => {
    const { directory } = archiveOf(name);
    const licences = await readFile(join(directory, 'src', 'LICENSES'), 'utf8');
    expect(licences).toMatch(/^ajv [\d.]+ \(MIT\)$/m);
    expect(licences).toMatch(/^@aws-sdk\/client-s3 [\d.]+ \(Apache-2\.0\)$/m);
    expect(await readFile(join(directory, 'bin', 'LICENSE'), 'utf8')).toContain(
      'Node.js is licensed',
    );
  });

  test('is the same, byte for byte, wherever it is packed, whatever the umask and the time zone', async () => {
    const again = await mkdtemp(join(root, 'again-'));
    const program = `
      process.umask(0o077);
      const { packCharm } = await import('#tooling');
      await packCharm(${JSON.stringify(name)}, { outputDirectory: ${JSON.stringify(again)} });`;
    await runProcess(process.execPath, ['--input-type=module', '-e', program], {
      cwd: projectRoot,
      env: { TZ: 'Pacific/Auckland', PATH: process.env['PATH'] ?? '' },
      timeoutMs: 240_000,
    });
    const { path } = archiveOf(name);
    const [copy = ''] = (await readdir(again)).filter((one) => one.endsWith('.charm'));
    expect(await digestOf(join(again, copy))).toBe(await digestOf(path));
  });

  test('charmcraft gets a folder from which it makes the same', async () => {
    const { directory } = archiveOf(name);
    const folder = await writeCharmcraftProject(name, [HERE], join(root, 'charmcraft'));
    const recipe = parse(await readFile(join(folder, 'charmcraft.yaml'), 'utf8')) as Recipe;
    expect(recipe.parts).toEqual({
      charm: { plugin: 'dump', source: 'payload/$CRAFT_ARCH_BUILD_FOR' },
    });
    const prime = join(root, `prime-${name}`);
    await cp(join(folder, 'payload', HERE), prime, { recursive: true });
    await writeAsCharmcraft(recipe, prime);
    const path = join(root, `charmcraft-${name}.charm`);
    await zipDirectory(prime, path);
    expect(await charmProblems(path)).toEqual([]);
    expect(await contentOf(prime)).toEqual(await contentOf(directory));
  });
});

// npm does not install it: it comes from the cache or the package registry.
const otherNode = await nodePackage(OTHER).catch(describeError);
const describeOther = existsSync(otherNode) ? describe : describe.skip;

describeOther(`for ${OTHER}`, () => {
  test('the archive has Node for that architecture inside', async () => {
    const packing = packCharm('backup-manager', {
      platform: `ubuntu@22.04:${OTHER}`,
      outputDirectory: root,
    });
    const { path } = await packing;
    expect(path).toBe(join(root, `backup-manager_ubuntu@22.04-${OTHER}.charm`));
    const entries = await readArchive(path);
    const binary = entries.find(({ name }) => name === 'bin/node')?.head ?? Buffer.alloc(0);
    expect(elfMachine(binary)).toBe(OTHER);
    expect(binary.readUInt16LE(18)).toBe(OTHER === 'arm64' ? 183 : 62);
    expect(
      JSON.parse(entries.find((one) => one.name === 'manifest.yaml')?.text ?? ''),
    ).toMatchObject({
      bases: [{ name: 'ubuntu', channel: '22.04', architectures: [OTHER] }],
    });
  });
});

test('without a package registry the other architecture is refused, and the way out told', async () => {
  const before = process.env['npm_config_registry'];
  process.env['npm_config_registry'] = 'http://127.0.0.1:1';
  process.env['npm_config_fetch_retries'] = '0';
  try {
    await expect(nodePackage(OTHER, join(root, 'cache'))).rejects.toMatchObject({
      code: 'node-unavailable',
      message: expect.stringContaining('cannot fetch node-linux-') as unknown,
      hint: expect.stringContaining('npm ping') as unknown,
    });
  } finally {
    delete process.env['npm_config_fetch_retries'];
    restoreRegistry(before);
  }
  expect(await readdir(join(root, 'cache'))).toEqual([]);
});

function restoreRegistry(before: string | undefined): void {
  if (before === undefined) {
    delete process.env['npm_config_registry'];
  } else {
    process.env['npm_config_registry'] = before;
  }
}

test('a package with another digest than the lock names is refused', async () => {
  const path = join(root, 'package.tgz');
  await writeFile(path, 'something else');
  const digest = createHash('sha512').update('something').digest('base64');
  await expect(requireIntegrity(path, `sha512-${digest}`, 'node-linux-x')).rejects.toThrow(
    'is not the one package-lock.json names',
  );
});

test('an unknown platform is answered with those there are', async () => {
  const error = await packCharm('database', { platform: 'ubuntu@18.04:amd64' }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(HintError);
  expect(describeError(error)).toContain('ubuntu@24.04:amd64');
});

interface Recipe {
  readonly parts: unknown;
  readonly title: string;
  readonly config: unknown;
  readonly actions: unknown;
  readonly [key: string]: unknown;
}

/** The files charmcraft writes beside the parts, in its style of YAML. */
async function writeAsCharmcraft(recipe: Recipe, prime: string): Promise<void> {
  const {
    type: _type,
    parts: _parts,
    platforms: _platforms,
    analysis: _analysis,
    ...rest
  } = recipe;
  const { title, config, actions, ...metadata } = rest;
  const manifest = {
    'charmcraft-version': '4.0.0',
    'charmcraft-started-at': '2026-01-02T15:04:05.000000+00:00',
    bases: [{ name: 'ubuntu', channel: '24.04', architectures: [HERE] }],
    analysis: {
      attributes: ['language', 'framework'].map((attribute) => ({
        name: attribute,
        result: 'unknown',
      })),
    },
  };
  const files = { metadata: { ...metadata, 'display-name': title }, config, actions, manifest };
  for (const [file, value] of Object.entries(files)) {
    await mkdir(prime, { recursive: true });
    await writeFile(join(prime, `${file}.yaml`), stringify(value, { version: '1.1' }));
  }
}

/** Path → digest, or for YAML what it says; without what tells who packed it and when. */
async function contentOf(directory: string): Promise<Readonly<Record<string, unknown>>> {
  const content: Record<string, unknown> = {};
  for (const name of await readdir(directory, { recursive: true })) {
    const path = join(directory, name);
    const info = await stat(path);
    if (name.endsWith('.yaml')) {
      const {
        'charmcraft-version': _by,
        'charmcraft-started-at': _at,
        ...said
      } = parse(await readFile(path, 'utf8')) as Record<string, unknown>;
      content[name] = said;
    } else if (info.isFile()) {
      content[name] = `${info.mode & 0o100} ${await digestOf(path)}`;
    }
  }
  return content;
}
