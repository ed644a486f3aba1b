/**
 * Checks a .charm archive against the rules Juju 3.6 reads it by, so that a mistake is found here and not at
 * `juju deploy`. The rules are those of a machine charm with a manifest; Kubernetes' are not known here.
 */
import { describeError, HintError, type JsonRecord } from '#system';
import { checkActions } from './charm-rules/actions.ts';
import { checkConfig } from './charm-rules/config.ts';
import { isMap, parseYaml11, type Report } from './charm-rules/document.ts';
import { checkEntries } from './charm-rules/entries.ts';
import { checkManifest } from './charm-rules/manifest.ts';
import { checkMetadata } from './charm-rules/metadata.ts';
import { type ArchiveEntry, readArchive } from './charm-rules/read-archive.ts';

/** All problems found in the archive, each a sentence that names file and key; none: Juju takes it. */
export async function charmProblems(path: string): Promise<readonly string[]> {
  let entries: readonly ArchiveEntry[];
  try {
    entries = await readArchive(path);
  } catch (error) {
    return [`not a valid zip archive: ${describeError(error)}`];
  }
  const problems: string[] = [];
  const report = (problem: string) => {
    problems.push(problem);
  };
  const read = (name: string) => readMap(entries, name, report);
  const metadata = read('metadata.yaml');
  if (metadata !== undefined) {
    checkMetadata(metadata, report);
  }
  const name = metadata?.['name'];
  checkActions(read('actions.yaml') ?? {}, typeof name === 'string' ? name : '', report);
  checkConfig(read('config.yaml') ?? { options: {} }, report);
  const manifest = read('manifest.yaml');
  checkEntries(entries, manifest === undefined ? [] : checkManifest(manifest, report), report);
  return problems;
}

/** @throws HintError that lists every problem of the archive, if there is any. */
export async function requireValidCharm(path: string): Promise<void> {
  const problems = await charmProblems(path);
  if (problems.length > 0) {
    throw new HintError(`${path} is no charm Juju would take:\n  ${problems.join('\n  ')}`, {
      code: 'invalid-charm',
      hint: 'correct charmcraft.yaml, or the sources of what it names',
    });
  }
}

const REQUIRED = ['metadata.yaml', 'manifest.yaml'];

function readMap(
  entries: readonly ArchiveEntry[],
  name: string,
  report: Report,
): JsonRecord | undefined {
  const text = entries.find((entry) => entry.name === name)?.text;
  if (text === undefined) {
    if (REQUIRED.includes(name)) {
      report(`${name}: is missing`);
    }
    return undefined;
  }
  try {
    const value = parseYaml11(text);
    if (isMap(value)) {
      return value;
    }
    report(`${name}: is not a map`);
  } catch (error) {
    report(`${name}: is not YAML: ${describeError(error)}`);
  }
  return undefined;
}
