/**
 * `platforms` of charmcraft.yaml: for each, charmcraft packs one archive for one base and architecture.
 * https://documentation.ubuntu.com/charmcraft/stable/reference/platforms
 */
import { HintError, type JsonValue } from '#system';
import { isMap } from './charm-rules/document.ts';
import { ARCHITECTURES, type Architecture } from './project.ts';

export interface Platform {
  /** As charmcraft.yaml has it, for example `ubuntu@24.04:amd64`. */
  readonly name: string;
  /** What the charm runs on: `{name: 'ubuntu', channel: '24.04'}`. */
  readonly base: { readonly name: string; readonly channel: string };
  readonly architecture: Architecture;
}

/**
 * The platforms in the order of the file: the short forms `amd64` (with `base`) and `ubuntu@24.04:amd64`,
 * and any name with `build-for`.
 * @throws HintError for one that does not tell its base or architecture, or where there is none
 */
export function platformsOf(charmcraft: Readonly<Record<string, unknown>>): readonly Platform[] {
  const platforms = charmcraft['platforms'] as JsonValue | undefined;
  const found = isMap(platforms)
    ? Object.entries(platforms).map(([name, value]) =>
        parsePlatform(name, buildFor(name, value), charmcraft['base']),
      )
    : [];
  if (found.length === 0) {
    throw malformed('charmcraft.yaml names no platforms');
  }
  return found;
}

/** The name charmcraft gives an archive. */
export function archiveName(charm: string, platform: Platform): string {
  return `${charm}_${platform.name.replaceAll(':', '-')}.charm`;
}

function buildFor(name: string, value: JsonValue): unknown {
  const given = isMap(value) ? value['build-for'] : undefined;
  return (Array.isArray(given) ? (given as readonly JsonValue[])[0] : given) ?? name;
}

function parsePlatform(name: string, target: unknown, sharedBase: unknown): Platform {
  const text = String(target);
  const at = text.lastIndexOf(':');
  const architecture = text.slice(at + 1);
  const base = at === -1 ? sharedBase : text.slice(0, at);
  const [system = '', channel = ''] = typeof base === 'string' ? base.split('@') : [];
  if (system === '' || channel === '') {
    throw malformed(`platform "${name}" of charmcraft.yaml has no base`);
  }
  if (!isArchitecture(architecture)) {
    throw malformed(`platform "${name}" of charmcraft.yaml is for "${architecture}"`);
  }
  return { name, base: { name: system, channel }, architecture };
}

export function isArchitecture(text: string): text is Architecture {
  return Object.hasOwn(ARCHITECTURES, text);
}

function malformed(problem: string): HintError {
  return new HintError(`cannot pack: ${problem}`, {
    code: 'malformed-charmcraft',
    hint: `name platforms such as "ubuntu@24.04:amd64"; architectures are ${Object.keys(ARCHITECTURES).join(' and ')}`,
  });
}
