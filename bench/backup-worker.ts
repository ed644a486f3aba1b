/** Does what a worker of the database charm does, without Juju around it: one backup or restore, told on standard input. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createPostgresqlEngine, parsePostgresqlConfig } from '#engines';
import { createS3ObjectStore, parseS3Options } from '#object-store';
import { draftSnapshot, ensureKey, keysFor, openSnapshot, ReadBarrier } from '#snapshots';
import { bothOrNeither, runProcess } from '#system';

interface Order {
  readonly task: 'backup' | 'restore' | 'item';
  readonly engine: unknown;
  readonly storage: Readonly<Record<string, unknown>>;
  readonly artefactPath: string;
  readonly chunkPrefix: string;
  readonly level: number;
  /** Encrypts what is backed up. */
  readonly passphrase?: string;
  /** Restore: an empty directory. */
  readonly directory: string;
  readonly item: string;
}

void perform();

async function perform(): Promise<void> {
  const order = JSON.parse(await text(process.stdin)) as Order;
  const store = createS3ObjectStore(parseS3Options(order.storage));
  if (order.task === 'backup') {
    await backUp(order, store);
  } else {
    const keys = await keysFor(store, order.artefactPath, order.passphrase);
    const snapshot = await openSnapshot(store, order.artefactPath, { keys });
    if (order.task === 'restore') {
      await snapshot.restoreTo({ directory: order.directory });
    } else {
      const directory = await mkdtemp(join(tmpdir(), 'bench-item-'));
      await snapshot.restoreTo({ directory, select: (path) => path === order.item });
      await rm(directory, { recursive: true });
    }
  }
  process.exit(0);
}

async function backUp(order: Order, store: ReturnType<typeof createS3ObjectStore>): Promise<void> {
  const engine = createPostgresqlEngine({ ...parsePostgresqlConfig(order.engine), runProcess });
  const scratchDirectory = await mkdtemp(join(tmpdir(), 'bench-worker-'));
  const { signal } = new AbortController();
  const reads = new ReadBarrier();
  const settleReads = async (): Promise<void> => await reads.settled();
  const { chunkPrefix, passphrase } = order;
  const key =
    passphrase === undefined
      ? undefined
      : (await ensureKey({ store, chunkPrefix }, passphrase)).current;
  const [source, draft] = await bothOrNeither(
    engine.backup({ signal, scratchDirectory, settleReads }),
    draftSnapshot({
      store,
      artefactPath: order.artefactPath,
      chunkPrefix,
      key,
      compression: true,
      level: order.level,
    }),
  );
  await using _ = source;
  await draft.write({ entries: source.entries, reads, attributes: source.attributes });
  await rm(scratchDirectory, { recursive: true });
}
