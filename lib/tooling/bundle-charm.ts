/**
 * Bundles the entry points of a charm with esbuild.
 *
 * `main` is read by every dispatch, so it is made to start fast: one CommonJS file, `main.cjs` (Node loads ES
 * modules about 3 ms slower), without the npm packages that the source loads by `import()`. Those lie in files
 * of their own under `on-demand/`, one a source file that asks for any, and are read when it does.
 *
 * `worker` outlives the dispatch, and perhaps the charm's directory: one file, `worker.js`, that needs no other.
 */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, join, parse, relative } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { describeError, HintError } from '#system';
import { projectRoot } from './project.ts';

const ON_DEMAND = 'on-demand';

// The folder of the npm package that a file is of, at whatever depth.
const PACKAGE = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;

const COMMON = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  legalComments: 'none',
  logLevel: 'silent',
  metafile: true,
  absWorkingDir: projectRoot,
} as const satisfies BuildOptions;

// Bundled CommonJS packages ask for Node's own modules through require, which ES modules lack.
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);";

// What CommonJS has of it; esbuild fails on the rest.
const IMPORT_META = { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' };

/**
 * Bundles `main.ts` and, where there is one, `worker.ts` of `source` into the directory `target`. Answers
 * the npm packages that went in, as their folders: `node_modules/ajv`.
 * @throws HintError when esbuild refuses, such as for `await` at the top level of main.
 */
export async function bundleCharm(source: string, target: string): Promise<ReadonlySet<string>> {
  await mkdir(target, { recursive: true });
  const inputs: string[] = [];
  try {
    inputs.push(...(await bundleMain(join(source, 'main.ts'), target)));
    if (existsSync(join(source, 'worker.ts'))) {
      inputs.push(...(await bundleWorker(join(source, 'worker.ts'), target)));
    }
  } catch (error) {
    throw new HintError(`cannot bundle the charm in ${source}: ${describeError(error)}`, {
      code: 'bundle-failed',
      hint: 'correct what it names; main.ts is bundled as CommonJS: write "void main(MyCharm)" without await, and import.meta.filename or import.meta.dirname only',
      cause: error,
    });
  }
  await writeFile(join(target, 'package.json'), '{"type":"module"}\n');
  return new Set(inputs.flatMap((path) => PACKAGE.exec(path)?.[0] ?? []));
}

/** Both answer the files that went in, relative to the project. */
async function bundleMain(entry: string, target: string): Promise<readonly string[]> {
  const packages: OnDemand = new Map();
  const { metafile } = await build({
    ...COMMON,
    entryPoints: [entry],
    outfile: join(target, 'main.cjs'),
    format: 'cjs',
    define: IMPORT_META,
    logOverride: { 'empty-import-meta': 'error' },
    plugins: [onDemandPackages(packages)],
  });
  const inputs = Object.keys(metafile.inputs);
  for (const [importer, names] of packages) {
    const lines = [...names].map((name) => `exports[${quote(name)}] = require(${quote(name)});`);
    // One after the other: esbuild uses all cores for each.
    // oxlint-disable-next-line no-await-in-loop
    const chunk = await build({
      ...COMMON,
      stdin: { contents: lines.join('\n'), resolveDir: dirname(importer) },
      outfile: join(target, chunkOf(importer)),
      format: 'cjs',
    });
    inputs.push(...Object.keys(chunk.metafile.inputs));
  }
  return inputs;
}

/**
 * Bundles a program into one CommonJS file that needs Node only.
 * @throws HintError when esbuild refuses
 */
export async function bundleProgram(entry: string, outfile: string): Promise<void> {
  try {
    const define = { ...IMPORT_META, ...(await threadSources()) };
    await build({ ...COMMON, entryPoints: [entry], outfile, format: 'cjs', define });
  } catch (error) {
    throw new HintError(`cannot bundle ${entry}: ${describeError(error)}`, {
      code: 'bundle-failed',
      hint: 'correct what it names',
      cause: error,
    });
  }
}

async function bundleWorker(entry: string, target: string): Promise<readonly string[]> {
  const { metafile } = await build({
    ...COMMON,
    entryPoints: [entry],
    outfile: join(target, 'worker.js'),
    format: 'esm',
    banner: { js: REQUIRE_BANNER },
    define: await threadSources(),
  });
  return Object.keys(metafile.inputs);
}

/** The programs of threads, as text within the program that starts them: it stays one file. */
async function threadSources(): Promise<Record<string, string>> {
  const sources: Record<string, string> = {};
  for (const [name, path] of Object.entries(THREADS)) {
    // One after the other: esbuild uses all cores for each.
    // oxlint-disable-next-line no-await-in-loop
    const { outputFiles } = await build({
      ...COMMON,
      entryPoints: [join(projectRoot, path)],
      write: false,
      format: 'cjs',
      minify: true,
    });
    sources[name] = JSON.stringify(outputFiles[0]?.text ?? '');
  }
  return sources;
}

/** The constant that holds the source of each. */
const THREADS = {
  ENCODER_THREAD_SOURCE: 'lib/snapshots/pipeline/encoder-thread.ts',
  DECODER_THREAD_SOURCE: 'lib/snapshots/decoding/decoder-thread.ts',
};

/** Source file → the npm packages it loads by `import()`. */
type OnDemand = Map<string, Set<string>>;

/** Leaves packages loaded by `import()` out of the bundle and has it ask their file for them. */
function onDemandPackages(found: OnDemand): Plugin {
  return {
    name: ON_DEMAND,
    setup(bundler) {
      bundler.onResolve({ filter: /^(?:@[\w.-]+\/)?[\w-]/ }, ({ kind, path, importer }) => {
        const isOurs = !/[\\/]node_modules[\\/]/.test(importer);
        if (kind !== 'dynamic-import' || isBuiltin(path) || !isOurs) {
          return undefined;
        }
        found.set(importer, (found.get(importer) ?? new Set()).add(path));
        return { path: `${chunkOf(importer)}:${path}`, namespace: ON_DEMAND };
      });
      bundler.onLoad({ filter: /./, namespace: ON_DEMAND }, ({ path }) => {
        const [chunk = '', name = ''] = path.split(':');
        return { contents: `module.exports = require(${quote(`./${chunk}`)})[${quote(name)}];` };
      });
      bundler.onResolve({ filter: /./, namespace: ON_DEMAND }, ({ path }) => ({
        path,
        external: true,
      }));
    },
  };
}

/** `on-demand/lib-object-store-s3-client.cjs` */
function chunkOf(importer: string): string {
  const { dir, name } = parse(relative(projectRoot, importer));
  const words = join(dir, name).split(/[^\w-]+/);
  return join(ON_DEMAND, `${words.filter(Boolean).join('-')}.cjs`);
}

function quote(text: string): string {
  return JSON.stringify(text);
}
