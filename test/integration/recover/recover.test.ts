/** The recovery program as one file, run as somebody would who has nothing else. */
import { spawn, spawnSync } from 'node:child_process';
import {
  chmod,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createDirectoryObjectStore, createS3ObjectStore } from '#object-store';
import { ensureKey, recoveryKit } from '#snapshots';
import { bundleProgram, nodeBinary, projectRoot } from '#tooling';
import { type S3DevServer, startS3DevServer } from '../../helpers/s3-dev-server.ts';
import { allKeys, aSnapshot, aTree, CHUNK_PREFIX } from '../../helpers/snapshots.ts';

const PASSPHRASE = 'a passphrase long enough';
let directory: string;
let program: string;
let server: S3DevServer;
let artefactPath: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'recover-'));
  program = join(directory, 'recover.cjs');
  await bundleProgram(join(projectRoot, 'lib', 'recover', 'main.ts'), program);
  server = await startS3DevServer('backups');
  const store = createS3ObjectStore(server);
  ({ artefactPath } = await aSnapshot({ store }));
  // The same objects as files, as an administrator may have copied them.
  const copy = createDirectoryObjectStore(join(directory, 'copy'));
  for (const key of await allKeys(store)) {
    await copy.put(key, await store.get(key));
  }
  store.close();
});
afterAll(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** In an empty directory, with no module to be found anywhere. */
async function run(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = keys(),
): Promise<Outcome> {
  const cwd = await mkdtemp(join(directory, 'cwd-'));
  const child = spawnAsync(nodeBinary(), [program, ...args], { cwd, env: environment });
  return await child;
}

/** Fails when one side of a pipe does. */
async function inBash(script: string, args: readonly string[]): Promise<Outcome> {
  const env = { ...keys(), PATH: process.env['PATH'] ?? '' };
  const options = ['--norc', '-o', 'pipefail', '-c', script, 'bash'];
  return await spawnAsync('bash', [...options, ...args], { cwd: directory, env });
}

function keys(): Readonly<Record<string, string>> {
  return { AWS_ACCESS_KEY_ID: server.accessKey, AWS_SECRET_ACCESS_KEY: server.secretKey };
}

async function spawnAsync(
  command: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Outcome> {
  const child = spawn(command, [...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (data: Buffer) => {
    texts.out += data.toString('latin1');
  });
  child.stderr.on('data', (data: Buffer) => {
    texts.err += data.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, ...texts };
}

const s3 = (): string[] => ['--endpoint', server.endpoint, '--bucket', 'backups'];
const local = (): string[] => ['--directory', join(directory, 'copy')];

async function expectTree(target: string): Promise<void> {
  const files = aTree().filter(({ kind }) => kind === 'file' || kind === 'stream');
  for (const { path, content, mode } of files) {
    // Not toEqual, which looks at a megabyte byte by byte.
    expect((await readFile(join(target, path))).equals(content ?? Buffer.alloc(0))).toBe(true);
    expect((await stat(join(target, path))).mode & 0o777).toBe(mode ?? 0o600);
  }
}

describe('recover', () => {
  test.each([
    ['a bucket', s3],
    ['a directory', local],
  ])('lists, verifies and restores from %s', async (_, store) => {
    const listed = await run([...store(), '--list']);
    expect(listed).toMatchObject({ code: 0, err: '' });
    expect(listed.out).toContain(artefactPath);

    const verified = await run([...store(), '--artefact-path', artefactPath, '--verify']);
    expect(verified.code).toBe(0);
    expect(verified.out).toMatch(/^sound: 8 files, 3\.\d MiB, read in /);

    const target = join(directory, `restored-${store.name}`);
    const restored = await run([...store(), '--artefact-path', `/${artefactPath}`, '--to', target]);
    expect(restored).toMatchObject({ code: 0, err: '' });
    expect(restored.out).toContain('engine: test');
    await expectTree(target);
  });

  test('one file, to a file or the standard output', async () => {
    const item = ['--artefact-path', artefactPath, '--item', 'base/tiny', '--to'];
    const target = join(directory, 'tiny');
    expect((await run([...s3(), ...item, target])).code).toBe(0);
    expect(await readFile(target, 'utf8')).toBe('tiny');
    expect(await run([...s3(), ...item, '-'])).toEqual({ code: 0, out: 'tiny', err: '' });
    // And never over something that is there.
    const again = await run([...s3(), ...item, target]);
    expect(again.code).toBe(1);
    expect(again.err).toContain('EEXIST');
    const items = await run([...s3(), '--artefact-path', artefactPath, '--items']);
    expect(items.out).toContain('base/odd');
  });

  test('an encrypted backup needs its passphrase or its recovery kit', async () => {
    const store = createDirectoryObjectStore(join(directory, 'encrypted'));
    const { current, ring } = await ensureKey({ store, chunkPrefix: CHUNK_PREFIX }, PASSPHRASE);
    const made = await aSnapshot({ store, key: current });
    const files = { passphrase: join(directory, 'passphrase'), kit: join(directory, 'kit') };
    await writeFile(files.passphrase, `${PASSPHRASE}\n`);
    const where = { storage: store.description, applicationPrefix: 'some/path/prod/db/' };
    await writeFile(files.kit, recoveryKit(ring.values(), where));
    const verify = [
      '--directory',
      join(directory, 'encrypted'),
      '--artefact-path',
      made.artefactPath,
      '--verify',
    ];

    for (const file of [files.passphrase, files.kit]) {
      expect(await run([...verify, '--key-file', file])).toMatchObject({ code: 0, err: '' });
    }
    const refused = await run(verify);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('give the passphrase the backup was made with');
  });

  test('keys come from a file, too, and are told apart from wrong ones', async () => {
    const file = join(directory, 'keys');
    await writeFile(file, `access-key: ${server.accessKey}\nsecret-key: ${server.secretKey}\n`);
    expect(await run([...s3(), '--credentials', file, '--list'], {})).toMatchObject({ code: 0 });

    const none = await run([...s3(), '--list'], {});
    expect(none).toMatchObject({ code: 1, out: '' });
    expect(none.err).toContain('access-key and secret-key missing; set AWS_ACCESS_KEY_ID');

    const wrong = { AWS_ACCESS_KEY_ID: server.accessKey, AWS_SECRET_ACCESS_KEY: 'planted-wrong' };
    const refused = await run([...s3(), '--list'], wrong);
    expect(refused.err).toContain('secret key does not belong to the access key');
    expect(refused.err).not.toContain('planted-wrong');
  });

  test('a backup goes out as one file and comes in again', async () => {
    const file = join(directory, 'backup.tar.zst');
    const out = await run([...s3(), '--artefact-path', artefactPath, '--export', file]);
    expect(out).toMatchObject({ code: 0, err: '' });
    const into = ['--directory', join(directory, 'elsewhere')];
    const where = ['--model', 'new', '--application', 'db'];
    const taken = await run([...into, '--import', file, ...where]);
    expect(taken).toMatchObject({ code: 0, err: '' });
    expect(taken.out).toMatch(/^new\/db\/backups\/\S+\/\n$/);
    const target = join(directory, 'from-file');
    const back = await run([...into, '--artefact-path', taken.out.trim(), '--to', target]);
    expect(back.code).toBe(0);
    await expectTree(target);

    // It says what it was, and where it belongs now.
    const origin = await run([...into, '--list', '--path', 'new/db']);
    expect(origin.out).toContain(taken.out.trim());
    expect(back.out).toContain(`original-artefact-path: ${artefactPath}`);
    expect(back.out).toContain('model: new');
    expect(back.out).toMatch(/label: imported, made 2026-11-21T02:03:04/);

    // And never over something that is there.
    const again = await run([...s3(), '--artefact-path', artefactPath, '--export', file]);
    expect(again).toMatchObject({ code: 1, err: expect.stringContaining('something already') });
    const pack = await readdir(directory);
    expect(pack.filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  test('an encrypted backup goes out readable, through a pipe, and into a bucket encrypted again', async () => {
    const place = join(directory, 'sealed');
    const store = createDirectoryObjectStore(place);
    const { current } = await ensureKey({ store, chunkPrefix: CHUNK_PREFIX }, PASSPHRASE);
    const made = await aSnapshot({ store, key: current });
    const [old, fresh] = [join(directory, 'old-passphrase'), join(directory, 'new-passphrase')];
    await writeFile(old, `${PASSPHRASE}\n`);
    await writeFile(fresh, 'another passphrase, as long\n');
    const from = ['--directory', place, '--artefact-path', made.artefactPath, '--export'];
    expect((await run([...from, '-'])).err).toContain('give the passphrase');

    const where = ['--model', 'new', '--application', 'sealed'];
    const piped = await inBash(
      `"$1" "$2" --directory "$3" --artefact-path "$4" --key-file "$5" --export - |
       "$1" "$2" ${[...s3(), ...where].join(' ')} --key-file "$6" --import -`,
      [nodeBinary(), program, place, made.artefactPath, old, fresh],
    );
    expect(piped).toMatchObject({ code: 0, err: '' });
    const path = piped.out.trim();
    const read = [...s3(), '--artefact-path', path];
    expect((await run([...read, '--verify', '--key-file', old])).code).toBe(1);
    const target = join(directory, 'unsealed');
    expect(await run([...read, '--to', target, '--key-file', fresh])).toMatchObject({ code: 0 });
    await expectTree(target);

    // What would lie in plain among the encrypted ones has to be asked for.
    const file = join(directory, 'plain.tar.zst');
    expect((await run([...from, file, '--key-file', old])).code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const plain = [...s3(), ...where, '--import', file];
    const refused = await run(plain);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('the backups of this application are encrypted');
    expect(await run([...plain, '--unencrypted'])).toMatchObject({ code: 0, err: '' });
  });

  test('a file that is not what was exported makes no backup', async () => {
    const file = join(directory, 'to-spoil.tar.zst');
    expect(await run([...s3(), '--artefact-path', artefactPath, '--export', file])).toMatchObject({
      code: 0,
    });
    const spoilt = join(directory, 'spoilt.tar');
    // Packed anew by somebody, so that no checksum of zstd or tar tells.
    const plain = zstdDecompressSync(await readFile(file));
    const at = plain.indexOf('tiny', plain.indexOf('base/tiny') + 512);
    plain.write('TINY', at);
    await writeFile(spoilt, plain);
    const into = join(directory, 'nothing');
    const where = ['--model', 'new', '--application', 'db'];
    const outcome = await run(['--directory', into, '--import', spoilt, ...where]);
    expect(outcome).toMatchObject({ code: 1, out: '' });
    expect(outcome.err).toContain('"base/tiny" in the file is not what it was when exported');
    const left = await allKeys(createDirectoryObjectStore(into));
    expect(left.filter((key) => key.endsWith('manifest.json'))).toEqual([]);

    const missing = await run(['--directory', into, '--import', join(directory, 'no'), ...where]);
    expect(missing.err).toContain('cannot read the file of --import');
  });

  test('a reader that goes away ends an export without noise', async () => {
    const outcome = await inBash('"$@" --export - | head -c 10 > /dev/null', [
      nodeBinary(),
      program,
      ...local(),
      '--artefact-path',
      artefactPath,
    ]);
    expect(outcome.code).toBe(1);
    expect(outcome.err).toMatch(/^recover: .*\n$/);
  });

  test('a damaged backup is refused, naming the object, and nothing is taken for restored', async () => {
    const broken = join(directory, 'broken');
    await cp(join(directory, 'copy'), broken, { recursive: true });
    const copy = createDirectoryObjectStore(broken);
    const pack = (await allKeys(copy)).find((key) => key.includes('/chunks/')) ?? '';
    const data = await copy.get(pack);
    data[5000] = (data[5000] ?? 0) ^ 1;
    await copy.put(pack, data);

    const target = join(directory, 'from-broken');
    const outcome = await run([
      '--directory',
      broken,
      '--artefact-path',
      artefactPath,
      '--to',
      target,
    ]);
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain(pack);
    expect(outcome.out).not.toContain('restored');
  });

  test('a directory that holds something is left alone', async () => {
    const full = join(directory, 'full');
    await mkdir(full);
    await writeFile(join(full, 'mine'), 'mine');
    const outcome = await run([...s3(), '--artefact-path', artefactPath, '--to', full]);
    expect(outcome.code).toBe(1);
    expect(await readFile(join(full, 'mine'), 'utf8')).toBe('mine');
  });

  test.each([
    [['--list'], 'name the storage with either --bucket or --directory'],
    [['--bucket', 'b'], 'say what to do'],
    [['--bucket', 'b', '--artefact-path', 'x'], 'say where to put it with --to'],
    [['--bucket', 'b', '--directory', 'd', '--list'], 'either --bucket or --directory'],
    [['--buket', 'b'], "Unknown option '--buket'"],
    [['--bucket', 'b', '--endpoint', 'ftp://x', '--list'], 'endpoint must be a URL'],
  ])('%j is answered with what is wrong', async (args, message) => {
    const outcome = await run(args);
    expect(outcome.code).toBe(1);
    expect(outcome.err).toContain(message);
  });

  test('an older Node is told so', async () => {
    const old = join(directory, 'old-node.cjs');
    const text = await readFile(program, 'utf8');
    await writeFile(
      old,
      `Object.defineProperty(process.versions, 'node', { value: '22.1.0' });\n${text}`,
    );
    await chmod(old, 0o600);
    const outcome = spawnSync(nodeBinary(), [old, '--help'], { encoding: 'utf8' });
    expect(outcome).toMatchObject({ status: 1 });
    expect(outcome.stderr).toContain('recover needs Node 24 or newer');
  });
});
