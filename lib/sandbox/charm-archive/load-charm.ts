/** Reads what a charm in a directory says of itself. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrorCode, readFileIfExists } from '#system';
import { ModelError } from '../errors.ts';
import type { JsonRecord, JsonValue } from '../json.ts';
import type { CharmMetadata } from '../model/charm-metadata.ts';
import { parseActions } from './action-specs.ts';
import { parseOptions } from './config-options.ts';
import { parseMetadata } from './metadata.ts';
import { isRecord, parseYaml, recordOf, scalarText } from './yaml-document.ts';

/**
 * The metadata of the charm in `directory`: metadata.yaml, config.yaml, actions.yaml and
 * manifest.yaml, or charmcraft.yaml in their stead.
 * @throws ModelError with Juju's message.
 */
export async function loadCharm(directory: string): Promise<CharmMetadata> {
  const files = await readFiles(directory);
  const basics = parseMetadata(files.metadata);
  const version = (await readFileIfExists(join(directory, 'version')))?.trim();
  const bases = readBases(files.bases);
  const [base] = bases;
  return {
    ...basics,
    options: files.config === undefined ? {} : parseOptions(files.config),
    actions: parseActions(basics.name, files.actions),
    ...(base === undefined ? {} : { base, bases }),
    ...(version === undefined || version === '' ? {} : { version }),
  };
}

interface CharmFiles {
  readonly metadata: JsonValue;
  readonly config: JsonRecord | undefined;
  readonly actions: JsonRecord;
  readonly bases: JsonValue | undefined;
}

async function readFiles(directory: string): Promise<CharmFiles> {
  const metadata = await readYaml(directory, 'metadata.yaml');
  const charmcraft = await readYaml(directory, 'charmcraft.yaml');
  const unified = recordOf(charmcraft ?? null, 'charmcraft.yaml');
  if (metadata === undefined && unified['name'] === undefined) {
    throw new ModelError('archive file "metadata.yaml" not found', 'not-found');
  }
  const config = (await readYaml(directory, 'config.yaml')) ?? unified['config'];
  const actions = (await readYaml(directory, 'actions.yaml')) ?? unified['actions'];
  const manifest = await readYaml(directory, 'manifest.yaml');
  return {
    metadata: metadata ?? unified,
    config: config === undefined ? undefined : recordOf(config, 'invalid config'),
    actions: recordOf(actions, 'actions.yaml'),
    bases: isRecord(manifest) ? manifest['bases'] : unified['base'],
  };
}

async function readYaml(directory: string, name: string): Promise<JsonValue | undefined> {
  try {
    return parseYaml(await readFile(join(directory, name), 'utf8'), name);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return undefined;
    }
    throw error;
  }
}

/** `bases` of a manifest, or `ubuntu@22.04` of charmcraft.yaml. */
function readBases(bases: JsonValue | undefined): NonNullable<CharmMetadata['bases']> {
  if (typeof bases === 'string') {
    const [name = '', channel = ''] = bases.split('@');
    return [{ name, channel }];
  }
  return Array.isArray(bases)
    ? (bases as readonly JsonValue[])
        .filter(isRecord)
        .map((base) => ({ name: scalarText(base['name']), channel: scalarText(base['channel']) }))
    : [];
}
