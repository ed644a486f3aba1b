/** Takes a charm into the sandbox: deploy and refresh. */
import { randomBytes } from 'node:crypto';
import { renameSync, rmSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readFileIfExists } from '#system';
import type { AgentServices } from '../../agent/services.ts';
import { loadCharm } from '../../charm-archive/load-charm.ts';
import { unpackCharm } from '../../charm-archive/unpack-charm.ts';
import type { CharmMetadata } from '../../model/charm-metadata.ts';
import { MODEL } from '../../model/documents.ts';
import type { Transaction } from '../../store/store.ts';

export interface ReceivedCharm {
  /** `name-revision`: its id, and its directory below that of all charms. */
  readonly charm: string;
  readonly revision: number;
  readonly metadata: CharmMetadata;
}

/**
 * Unpacks the charm at `path` and gives it the next revision of its name, or that of its file `revision`
 * if it is higher.
 * @param check looks at the charm and throws where it is not wanted; nothing has changed then
 * @param commit what else happens in the transaction that adds the charm
 */
export async function receiveCharm<C, R>(
  { paths, store }: Pick<AgentServices, 'paths' | 'store'>,
  path: string,
  check: (metadata: CharmMetadata) => C,
  commit: (transaction: Transaction, received: ReceivedCharm, checked: C) => R,
): Promise<R> {
  const temporary = join(paths.charms, `.new-${randomBytes(6).toString('hex')}`);
  try {
    await mkdir(paths.charms, { recursive: true });
    await unpackCharm(path, temporary);
    const metadata = await loadCharm(temporary);
    const checked = check(metadata);
    const told = await readFileIfExists(join(temporary, 'revision'));
    const revision = Math.max(
      store.require('model', MODEL).charmRevisions[metadata.name] ?? 0,
      /^\d+\s*$/.test(told ?? '') ? Number(told) : 0,
    );
    const charm = `${metadata.name}-${revision}`;
    const directory = join(paths.charms, charm);
    // A directory of this name is left from a deploy that was killed before its commit.
    rmSync(directory, { recursive: true, force: true });
    // At once, so that no other call takes the same revision in between.
    renameSync(temporary, directory);
    return store.transact((transaction) => {
      const { charmRevisions } = transaction.require('model', MODEL);
      transaction.patch('model', MODEL, {
        charmRevisions: { ...charmRevisions, [metadata.name]: revision + 1 },
      });
      transaction.put('charm', charm, { id: charm, revision, metadata });
      return commit(transaction, { charm, revision, metadata }, checked);
    });
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}
