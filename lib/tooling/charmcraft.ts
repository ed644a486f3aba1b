/**
 * charmcraft.yaml in today's form → the files Juju reads: metadata, actions, config, manifest; the same that
 * `charmcraft pack` writes. https://documentation.ubuntu.com/charmcraft/stable/reference/files/charmcraft-yaml-file
 */
import { describeError, HintError, type JsonRecord, type JsonValue } from '#system';
import { isMap, parseYaml11 } from './charm-rules/document.ts';
import type { Platform } from './platforms.ts';

export type CharmcraftFile = JsonRecord & { readonly name: string };

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
  'devices',
  'resources',
  'containers',
  'extra-bindings',
  'assumes',
  'charm-user',
  'terms',
] as const;

// What charmcraft's analysis finds out about a charm that is not Python.
const ATTRIBUTES = ['language', 'framework'].map((name) => ({ name, result: 'unknown' }));

/** @throws HintError when the text is not YAML or lacks `name`, `summary` or `description`. */
export function parseCharmcraft(text: string, path: string): CharmcraftFile {
  const value = parseText(text, path);
  if (!isMap(value)) {
    throw malformed(path, 'it is not a YAML map');
  }
  for (const key of ['name', 'summary', 'description']) {
    if (typeof value[key] !== 'string') {
      throw malformed(path, `"${key}" is missing`);
    }
  }
  return value as CharmcraftFile;
}

function parseText(text: string, path: string): JsonValue {
  try {
    return parseYaml11(text);
  } catch (error) {
    throw malformed(path, `it is not YAML: ${describeError(error)}`);
  }
}

/** File name → text. */
export function jujuFiles(
  charmcraft: CharmcraftFile,
  platform: Platform,
): Readonly<Record<string, string>> {
  return {
    'metadata.yaml': yamlText(metadata(charmcraft)),
    'manifest.yaml': yamlText(manifest(platform)),
    ...optionalFile('actions.yaml', charmcraft['actions']),
    ...optionalFile('config.yaml', charmcraft['config']),
  };
}

function metadata(charmcraft: CharmcraftFile): Record<string, unknown> {
  const kept = METADATA_KEYS.filter((key) => charmcraft[key] !== undefined);
  return {
    ...Object.fromEntries(kept.map((key) => [key, charmcraft[key]])),
    ...(charmcraft['title'] === undefined ? {} : { 'display-name': charmcraft['title'] }),
    ...linksOf(charmcraft['links']),
  };
}

/** `links` under the names metadata.yaml has for them. */
function linksOf(links: JsonValue | undefined): Record<string, unknown> {
  const { documentation, contact, ...others } = isMap(links) ? links : {};
  return {
    ...others,
    ...(documentation === undefined ? {} : { docs: documentation }),
    ...(contact === undefined ? {} : { maintainers: [contact].flat() }),
  };
}

function manifest({ base, architecture }: Platform): unknown {
  return {
    analysis: { attributes: ATTRIBUTES },
    bases: [{ ...base, architectures: [architecture] }],
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
