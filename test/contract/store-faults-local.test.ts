import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDirectoryObjectStore, createMemoryObjectStore } from '#object-store';
import { describeStoreFaultsContract } from './store-faults-contract.ts';

describeStoreFaultsContract({
  name: 'memory',
  create: async () => ({ store: createMemoryObjectStore() }),
});

describeStoreFaultsContract({
  name: 'directory',
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'object-store-'));
    return {
      store: createDirectoryObjectStore(join(directory, 'objects')),
      close: async () => await rm(directory, { recursive: true }),
    };
  },
});
