/** Reads the metadata files of an unpacked charm, or charmcraft.yaml of its source. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describeError, HintError, hasErrorCode } from '#system';
import { type CharmMeta, type MetaSources, parseCharmMeta } from './meta.ts';

/**
 * Metadata of the charm in `charmDir`: metadata.yaml with actions.yaml and config.yaml, or, where
 * there is no metadata.yaml, charmcraft.yaml.
 * @throws HintError when there is neither, or a file is malformed.
 */
export async function loadCharmMeta(charmDir: string): Promise<CharmMeta> {
  return parseCharmMeta(await readMetaSources(charmDir));
}

/** The files loadCharmMeta() reads, parsed as YAML only. @throws HintError as loadCharmMeta() does. */
export async function readMetaSources(charmDir: string): Promise<MetaSources> {
  const main =
    (await readYaml(join(charmDir, 'metadata.yaml'))) ??
    (await readYaml(join(charmDir, 'charmcraft.yaml')));
  if (main === undefined) {
    throw new HintError(
      `cannot read the metadata of the charm in ${charmDir}: no metadata.yaml, nor charmcraft.yaml`,
      {
        code: 'no-metadata',
        hint: 'pack the charm again, or set JUJU_CHARM_DIR to the directory of a charm',
      },
    );
  }
  const actions = await readYaml(join(charmDir, 'actions.yaml'));
  const config = await readYaml(join(charmDir, 'config.yaml'));
  return {
    metadata: main.value,
    actions: actions === undefined ? at(main.value, 'actions') : actions.value,
    config: config === undefined ? at(main.value, 'config') : config.value,
    origin: main.path,
    actionsOrigin: (actions ?? main).path,
    configOrigin: (config ?? main).path,
  };
}

/** Charm metadata from an object written like charmcraft.yaml, for tests. */
export function charmMetaFrom(charmcraft: Readonly<Record<string, unknown>>): CharmMeta {
  return parseCharmMeta({
    metadata: charmcraft,
    actions: charmcraft['actions'],
    config: charmcraft['config'],
    origin: 'the object given',
  });
}

interface YamlFile {
  readonly path: string;
  readonly value: unknown;
}

async function readYaml(path: string): Promise<YamlFile | undefined> {
  const text = readTextIfExists(path);
  if (text === undefined) {
    return undefined;
  }
  try {
    return { path, value: tryJson(text) ?? (await parseYaml(text)) ?? {} };
  } catch (error) {
    throw new HintError(`cannot read ${path}: it is not YAML`, {
      code: 'malformed-metadata',
      hint: 'correct the file and pack the charm again',
      cause: error,
    });
  }
}

// At once: a dispatch has nothing else to do meanwhile, and waking Node's threads takes longer than reading.
function readTextIfExists(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return undefined;
    }
    throw new HintError(`cannot read ${path}: ${describeError(error)}`, {
      code: 'unreadable-metadata',
      hint: 'make it a file that root can read, or deploy the charm again',
      cause: error,
    });
  }
}

/** JSON is YAML too, and packed charms have it: a dispatch need not load a YAML parser. */
function tryJson(text: string): unknown {
  if (!text.startsWith('{')) {
    return undefined;
  }
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  return parse(text);
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([name]) => name === key)?.[1]
    : undefined;
}
