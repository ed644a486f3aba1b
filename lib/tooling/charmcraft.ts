/** charmcraft.yaml in today's form → the files Juju reads: metadata, actions, config, manifest. */
import { parse } from 'yaml';
import { HintError } from '#system';
import type { Architecture } from './project.ts';

export type CharmcraftFile = Readonly<Record<string, unknown>> & { readonly name: string };

// What `charmcraft pack` copies to metadata.yaml under the same name.
const METADATA_KEYS = [
  'name',
  'summary',
  'description',
  'subordinate',
  'provides',
  'requires',
  'peers',
  'storage',
  'resources',
  'extra-bindings',
  'assumes',
  'charm-user',
] as const;

const BASES = ['22.04', '24.04'] as const;

/** @throws HintError when the text is not YAML or lacks `name`, `summary` or `description`. */
export function parseCharmcraft(text: string, path: string): CharmcraftFile {
  const value: unknown = parse(text);
  if (typeof value !== 'object' || value === null) {
    throw malformed(path, 'it is not a YAML map');
  }
  for (const key of ['name', 'summary', 'description']) {
    if (typeof Object.entries(value).find(([name]) => name === key)?.[1] !== 'string') {
      throw malformed(path, `"${key}" is missing`);
    }
  }
  return value as CharmcraftFile;
}

/** File name → text. */
export function jujuFiles(
  charmcraft: CharmcraftFile,
  architecture: Architecture,
): Readonly<Record<string, string>> {
  return {
    'metadata.yaml': yamlText(metadata(charmcraft)),
    'manifest.yaml': yamlText(manifest(architecture)),
    ...optionalFile('actions.yaml', charmcraft['actions']),
    ...optionalFile('config.yaml', charmcraft['config']),
  };
}

function metadata(charmcraft: CharmcraftFile): Record<string, unknown> {
  const kept = METADATA_KEYS.filter((key) => charmcraft[key] !== undefined);
  return {
    ...Object.fromEntries(kept.map((key) => [key, charmcraft[key]])),
    ...(charmcraft['title'] === undefined ? {} : { 'display-name': charmcraft['title'] }),
  };
}

function manifest(architecture: Architecture): unknown {
  return {
    bases: BASES.map((channel) => ({ name: 'ubuntu', channel, architectures: [architecture] })),
  };
}

function optionalFile(name: string, value: unknown): Record<string, string> {
  return value === undefined ? {} : { [name]: yamlText(value) };
}

// In the JSON style of YAML: every dispatch reads it, and loading a YAML parser takes a quarter of its time.
function yamlText(value: unknown): string {
  // go-yaml refuses these characters raw, though JSON does not ask to escape them.
  const escaped = JSON.stringify(value, null, 2).replaceAll(
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    /[\u007f-\u009f\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${escaped}\n`;
}

function malformed(path: string, reason: string): HintError {
  return new HintError(`cannot read ${path}: ${reason}`, {
    code: 'malformed-charmcraft',
    hint: 'see https://canonical-charmcraft.readthedocs-hosted.com for the file format',
  });
}
