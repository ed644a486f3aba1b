/**
 * A folder in which `charmcraft pack` makes a charm of this project. charmcraft builds in a container that sees
 * only the folder of charmcraft.yaml, and the sources of a charm reach beyond theirs; so the parts are built
 * here, as for an archive of our own, and charmcraft adds its metadata and packs.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writePayload } from './pack-charm.ts';
import { type Architecture, projectRoot } from './project.ts';

/**
 * Writes `dist/charmcraft/NAME`: charmcraft.yaml as it is in the sources, and `payload/ARCHITECTURE`, which its
 * part `charm` takes. Answers the folder.
 * @throws HintError as writePayload() does
 */
export async function writeCharmcraftProject(
  name: string,
  architectures: readonly Architecture[],
  outputDirectory: string = join(projectRoot, 'dist', 'charmcraft'),
): Promise<string> {
  const source = join(projectRoot, 'charms', name);
  const folder = join(outputDirectory, name);
  for (const architecture of architectures) {
    // One after the other: bundling uses all cores for each.
    // oxlint-disable-next-line no-await-in-loop
    await writePayload(source, architecture, join(folder, 'payload', architecture));
  }
  await mkdir(folder, { recursive: true });
  await copyFile(join(source, 'charmcraft.yaml'), join(folder, 'charmcraft.yaml'));
  return folder;
}
