// After the last test of a run: what its test files shared ends.
import { rm } from 'node:fs/promises';
import { stopSharedCephRgw } from './ceph-rgw.ts';

export default async function end() {
  const directory = process.env.TEST_RUN_DIRECTORY;
  await stopSharedCephRgw(directory);
  await rm(directory, { recursive: true, force: true });
}
