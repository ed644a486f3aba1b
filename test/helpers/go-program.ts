/** Programs in Go for tests, built once; without Go or its modules a suite is skipped and says why. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { describeError, ProcessError, runProcess } from '#system';
import { projectRoot } from '#tooling';

const CACHE = join(projectRoot, 'node_modules', '.cache', 'go');
// The first build compiles all the packages it needs.
const BUILD_TIMEOUT_MS = 480_000;

/**
 * `describe`, for tests that run the Go program in `source`. Where Go is missing, or its modules cannot be
 * had, it defines one skipped test that gives the reason. To be awaited.
 */
export async function describeWithGo(
  title: string,
  source: string,
  body: (program: string) => void,
): Promise<void> {
  const built = await buildGo(source);
  const reason = 'reason' in built ? built.reason : undefined;
  if (reason !== undefined) {
    process.stderr.write(`${title}: skipped: ${reason}\n`);
  }
  const define = reason === undefined ? describe : describe.skip;
  define(title, () => {
    if ('program' in built) {
      body(built.program);
    } else {
      test(`skipped: ${built.reason}`, () => {
        expect(built.reason).toBe('built');
      });
    }
  });
}

type Built = { readonly program: string } | { readonly reason: string };

async function buildGo(source: string): Promise<Built> {
  const go = await runProcess('go', ['version'], { env: inheritedEnvironment() }).catch(
    (error: unknown) => ({ missing: describeError(error) }),
  );
  if ('missing' in go) {
    return { reason: 'no Go on PATH' };
  }
  const digest = createHash('sha256').update(go.stdout);
  for (const name of (await readdir(source)).toSorted()) {
    digest.update(await readFile(join(source, name)));
  }
  const program = join(CACHE, digest.digest('hex').slice(0, 16));
  try {
    if (!existsSync(program)) {
      await build(source, program);
    }
    return { program };
  } catch (error) {
    return { reason: `cannot build ${source}: ${reasonOf(error)}` };
  }
}

/** Made beside and renamed, as several test files may want the same one at the same time. */
async function build(source: string, program: string): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const draft = `${program}.${process.pid}.draft`;
  await runProcess('go', ['build', '-mod=readonly', '-o', draft, '.'], {
    cwd: source,
    env: { ...inheritedEnvironment(), GOTOOLCHAIN: 'local', CGO_ENABLED: '0', GOFLAGS: '' },
    timeoutMs: BUILD_TIMEOUT_MS,
    label: 'go build',
  });
  await rename(draft, program);
}

/** Go's settings (proxy, caches) are the caller's. */
function inheritedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
}

function reasonOf(error: unknown): string {
  const said = error instanceof ProcessError ? error.stderr.trim().split('\n').at(-1) : undefined;
  return said === undefined || said === '' ? describeError(error) : said;
}
