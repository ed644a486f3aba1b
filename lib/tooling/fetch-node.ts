/**
 * Node for an architecture this machine does not have. npm installs only what fits the machine, so the other
 * package is taken as an archive, held against the digest in package-lock.json, and kept for the next time.
 */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { describeError, HintError, runProcess } from '#system';
import { type Architecture, nodePackageName, projectRoot } from './project.ts';

const CACHE = join(projectRoot, 'node_modules', '.cache', 'node');
const DOWNLOAD_TIMEOUT_MS = 300_000;
// What a charm takes of the package.
const MEMBERS = ['package/bin/node', 'package/LICENSE'];

interface LockedPackage {
  readonly version: string;
  readonly integrity: string;
}

/**
 * The directory of the npm package with Node for an architecture, with `bin/node` and `LICENSE`: where npm
 * installed it, or else in a cache, filled from the package registry at need.
 * @throws HintError `node-unavailable` when it is in neither and the registry cannot be asked,
 *   `node-altered` when what came is not what package-lock.json names
 */
export async function nodePackage(
  architecture: Architecture,
  cache: string = CACHE,
): Promise<string> {
  const name = nodePackageName(architecture);
  const installed = join(projectRoot, 'node_modules', name);
  if (existsSync(join(installed, 'bin', 'node'))) {
    return installed;
  }
  const locked = await lockedPackage(name);
  const cached = join(cache, `${name}-${locked.version}`);
  if (!existsSync(join(cached, 'bin', 'node'))) {
    await download(name, locked, cached);
  }
  return cached;
}

async function lockedPackage(name: string): Promise<LockedPackage> {
  const lock = JSON.parse(await readFile(join(projectRoot, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage | undefined>>;
  };
  const found = lock.packages[`node_modules/${name}`];
  if (found === undefined) {
    throw new HintError(`package-lock.json does not name ${name}`, {
      code: 'node-unavailable',
      hint: 'take package-lock.json from version control again',
    });
  }
  return found;
}

async function download(name: string, locked: LockedPackage, target: string): Promise<void> {
  const cache = dirname(target);
  await mkdir(cache, { recursive: true });
  const scratch = await mkdtemp(join(cache, 'download-'));
  try {
    const archive = await npmPack(`${name}@${locked.version}`, scratch);
    await requireIntegrity(archive, locked.integrity, name);
    await runProcess('tar', ['-xzf', archive, '-C', scratch, ...MEMBERS]);
    await replaceDirectory(join(scratch, 'package'), target);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function npmPack(wanted: string, folder: string): Promise<string> {
  try {
    const args = ['pack', wanted, '--pack-destination', folder, '--json', '--loglevel=error'];
    const { stdout } = await runProcess('npm', args, {
      // The caller's registry, proxy and certificates.
      env: inheritedEnvironment(),
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
      label: `npm pack ${wanted}`,
    });
    const [packed] = JSON.parse(stdout) as readonly { readonly filename: string }[];
    return join(folder, packed?.filename ?? '');
  } catch (error) {
    throw new HintError(`cannot fetch ${wanted} with npm: ${describeError(error)}`, {
      code: 'node-unavailable',
      hint: 'check that a package registry is reachable ("npm ping"), or pack on a machine of that architecture',
      cause: error,
    });
  }
}

/** @throws HintError unless the file has the digest, written as npm does: `sha512-BASE64`. */
export async function requireIntegrity(
  path: string,
  integrity: string,
  what: string,
): Promise<void> {
  const [algorithm = '', expected] = integrity.split('-', 2);
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  if (hash.digest('base64') !== expected) {
    throw new HintError(
      `${what} from the package registry is not the one package-lock.json names`,
      {
        code: 'node-altered',
        hint: 'do not use it; look at the registry that "npm config get registry" names',
      },
    );
  }
}

async function replaceDirectory(source: string, target: string): Promise<void> {
  try {
    await rename(source, target);
  } catch (error) {
    // Another run was faster; the digest says it has the same.
    if (!existsSync(join(target, 'bin', 'node'))) {
      throw error;
    }
  }
}

function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}
