/**
 * Bundles and overlays as files, put together into one tree; what the keys mean is shape-bundle's.
 * https://github.com/juju/juju/blob/3.6/cmd/juju/application/bundle/bundle.go
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, resolve } from 'node:path';
import { resolvePath } from '../arguments/files.ts';
import { parseYamlDocuments } from '../arguments/yaml-input.ts';
import { CommandError, quoted } from '../errors.ts';
import type { CommandIo } from '../io.ts';

export type Tree = Record<string, unknown>;

/**
 * The bundle with its overlays: those in later documents of its file, then those of the files named.
 * Charms and included files lie beside the file that names them.
 * @throws CommandError for files that are missing or no YAML map
 */
export async function readBundle(
  file: string,
  overlays: readonly string[],
  io: CommandIo,
): Promise<Tree> {
  const [base, ...own] = await readSource(file, file);
  if (base === undefined) {
    throw new CommandError(`cannot deploy bundle: malformed bundle: bundle is empty not valid`);
  }
  let bundle = base;
  for (const overlay of own) {
    bundle = withOverlay(bundle, overlay);
  }
  for (const path of overlays) {
    const full = resolvePath(path, io);
    if (!existsSync(full)) {
      throw new CommandError(
        `cannot deploy bundle: unable to process overlays: ${quoted(path)} not found`,
      );
    }
    for (const overlay of await readSource(full, path)) {
      bundle = withOverlay(bundle, overlay);
    }
  }
  return bundle;
}

async function readSource(file: string, shown: string): Promise<readonly Tree[]> {
  const documents = await parseYamlDocuments(readFileSync(file, 'utf8'), shown);
  return documents
    .filter((document) => document !== null)
    .map((document) => {
      if (!isTree(document)) {
        throw new CommandError(
          `cannot deploy bundle: ${shown} is no bundle: it has to be a map with applications`,
        );
      }
      return resolveFiles(document, dirname(file));
    });
}

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function resolveFiles(document: Tree, folder: string): Tree {
  return isTree(document['applications'])
    ? {
        ...document,
        applications: mapValues(document['applications'], (application) =>
          isTree(application) ? resolveApplication(application, folder) : application,
        ),
      }
    : document;
}

function resolveApplication(application: Tree, folder: string): Tree {
  const { charm, options, resources } = application;
  return {
    ...application,
    ...(typeof charm === 'string' && charm.startsWith('.')
      ? { charm: resolve(folder, charm) }
      : {}),
    ...(isTree(options) ? { options: mapValues(options, (one) => included(one, folder)) } : {}),
    ...(isTree(resources)
      ? {
          resources: mapValues(resources, (one) =>
            typeof one === 'string' && !isAbsolute(one) ? resolve(folder, one) : one,
          ),
        }
      : {}),
  };
}

function mapValues(tree: Tree, change: (value: unknown) => unknown): Tree {
  return Object.fromEntries(Object.entries(tree).map(([key, value]) => [key, change(value)]));
}

/** `include-file://` and `include-base64://` stand for what the file holds. */
function included(value: unknown, folder: string): unknown {
  const [, kind, path] =
    typeof value === 'string' ? (/^include-(file|base64):\/\/(.*)$/.exec(value) ?? []) : [];
  if (path === undefined) {
    return value;
  }
  const file = resolve(folder, path);
  if (!existsSync(file)) {
    throw new CommandError(
      `cannot deploy bundle: unable to process includes: open ${file}: no such file or directory`,
    );
  }
  return readFileSync(file).toString(kind === 'file' ? 'utf8' : 'base64');
}

/** What the overlay says wins; an application that is empty there goes, with its relations. */
function withOverlay(base: Tree, overlay: Tree): Tree {
  const applications = { ...treeOf(base['applications']) };
  let relations = listOf(base['relations']);
  for (const [name, spec] of Object.entries(treeOf(overlay['applications']))) {
    const before = applications[name];
    if (!isTree(spec) || Object.keys(spec).length === 0) {
      delete applications[name];
      relations = relations.filter((pair) => !listOf(pair).some((end) => isEndOf(end, name)));
    } else {
      applications[name] = isTree(before) ? mergeApplication(before, spec) : spec;
    }
  }
  return {
    ...base,
    ...overlay,
    applications,
    relations: [...relations, ...listOf(overlay['relations'])],
  };
}

function mergeApplication(before: Tree, spec: Tree): Tree {
  const merged: Tree = { ...before };
  for (const [key, value] of Object.entries(spec)) {
    const known = merged[key];
    const both = isTree(known) && isTree(value) && Object.keys(value).length > 0;
    merged[key] = both ? { ...known, ...value } : value;
  }
  return merged;
}

function isEndOf(end: unknown, application: string): boolean {
  return typeof end === 'string' && end.split(':', 1)[0] === application;
}

function treeOf(value: unknown): Tree {
  return isTree(value) ? value : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
