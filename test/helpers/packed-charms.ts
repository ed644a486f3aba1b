/** The charms as they are deployed: packed once a run, for every test file that does not change them. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { type PackedCharm, packCharm } from '#tooling';
import { runDirectory, shared } from './shared-things.ts';

/** @param source its folder, where that is not `charms/NAME` */
export async function packedCharm(name: string, source?: string): Promise<PackedCharm> {
  return await shared(`charm-${name}`, async () => {
    const outputDirectory = join(runDirectory(), 'charms');
    return await packCharm(name, { outputDirectory, ...(source === undefined ? {} : { source }) });
  });
}

/** The same unpacked in a folder of one's own, to change it. */
export async function ownPackedCharm(
  name: string,
  folder: string,
  source?: string,
): Promise<PackedCharm> {
  const packed = await packedCharm(name, source);
  const directory = join(folder, 'unpacked', name);
  await cp(packed.directory, directory, { recursive: true });
  return { ...packed, directory };
}
