import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createDirectoryObjectStore,
  createMemoryObjectStore,
  withFaults,
  withRetries,
} from '#object-store';
import { describeObjectStoreContract } from './object-store-contract.ts';

describeObjectStoreContract({
  name: 'memory',
  create: async () => ({ store: createMemoryObjectStore() }),
});

describeObjectStoreContract({
  name: 'directory',
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), 'object-store-'));
    return {
      store: createDirectoryObjectStore(join(directory, 'objects')),
      close: async () => await rm(directory, { recursive: true }),
    };
  },
  skip: [
    {
      test: 'holds an object whose key is also a folder',
      reason: 'a file system path is a file or a directory',
    },
  ],
});

describeObjectStoreContract({
  name: 'memory, every third call failing or losing its answer, with retries',
  create: async () => {
    const faulty = withFaults(createMemoryObjectStore(), ({ number }) =>
      number % 3 === 0 ? { kind: number % 2 === 0 ? 'fail' : 'lose-answer' } : undefined,
    );
    const clock = { now: () => new Date(), sleep: async () => undefined };
    return { store: withRetries(faulty, { clock, maxFirstAttempts: 8 }) };
  },
});
