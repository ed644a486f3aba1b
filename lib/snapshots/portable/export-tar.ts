/**
 * A snapshot as one file that standard tools open: `tar --zstd -xf FILE`. Its first entry says what the backup is of, so
 * that it can become a snapshot again, its last one holds checksums. Every byte was verified on its way.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { constants, createZstdCompress } from 'node:zlib';
import { type Header, type Pack, pack } from 'tar-stream';
import type { EntryInfo, Snapshot, VerifyOptions } from '../types.ts';
import { CHECKSUMS_PATH, checksumLine } from './checksums.ts';

/** Path of the entry that describes the backup. */
export const DESCRIPTION_PATH = '.juju-database-backup.json';
export const DESCRIPTION_FORMAT = 'juju-database-backup/portable';

const LEVEL = 3;

type TarHeader = Partial<Header> & Pick<Header, 'name'>;

/**
 * The bytes of a `tar.zst`, in order; the same snapshot gives the same bytes with the same zstd.
 * @throws SnapshotError `damaged`; what was given until then must not be used
 */
export async function* exportTar(
  snapshot: Snapshot,
  options: VerifyOptions = {},
): AsyncIterable<Uint8Array> {
  const archive = pack();
  const compressor = createZstdCompress({
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_checksumFlag]: 1 },
  });
  // Whoever reads the compressed bytes sees the failure of either side.
  const flowing = pipeline(archive, compressor);
  flowing.catch(() => undefined);
  const filling = fill(archive, snapshot, options).catch((error: unknown) => {
    archive.destroy(error as Error);
    throw error;
  });
  filling.catch(() => undefined);
  try {
    for await (const piece of compressor as AsyncIterable<Uint8Array>) {
      yield piece;
    }
  } catch (error) {
    // The reason, rather than that a stream was closed.
    await filling;
    throw error;
  } finally {
    archive.destroy();
    compressor.destroy();
  }
  await filling;
  await flowing;
}

async function fill(archive: Pack, snapshot: Snapshot, options: VerifyOptions): Promise<void> {
  const { manifest, artefactPath } = snapshot;
  const streams: string[] = [];
  for await (const { kind, path } of snapshot.entries(options)) {
    if (kind === 'stream') {
      streams.push(path);
    }
  }
  const description = {
    format: DESCRIPTION_FORMAT,
    version: 2,
    'artefact-path': artefactPath,
    'created-at': manifest.createdAt,
    attributes: manifest.attributes,
    entries: manifest.totals.entries,
    streams,
    checksums: CHECKSUMS_PATH,
  };
  await addText(archive, DESCRIPTION_PATH, `${JSON.stringify(description, undefined, 2)}\n`);
  const checksums: string[] = [];
  let bytesVerified = 0;
  for await (const { entry, content } of snapshot.contents(options)) {
    const hash = createHash('sha256');
    await add(archive, headerOf(entry), content, (piece) => {
      hash.update(piece);
      bytesVerified += piece.length;
      options.onProgress?.({ bytesVerified, totalBytes: manifest.totals.bytes });
    });
    if (entry.kind === 'file' || entry.kind === 'stream') {
      checksums.push(checksumLine(entry.path, hash.digest('hex')));
    }
  }
  await addText(archive, CHECKSUMS_PATH, checksums.join(''));
  archive.finalize();
}

async function addText(archive: Pack, name: string, text: string): Promise<void> {
  const data = Buffer.from(text);
  await add(archive, { name, mode: 0o600, size: data.length, mtime: new Date(0) }, [data]);
}

function headerOf(entry: EntryInfo): TarHeader {
  const { kind, path, mode, uid, gid, owner, group, mtimeMs, target, size } = entry;
  const isDirectory = kind === 'directory';
  const known = { uid, gid, uname: owner, gname: group, linkname: target };
  return {
    name: isDirectory ? `${path}/` : path,
    type: kind === 'stream' ? 'file' : kind,
    mode: mode ?? (isDirectory ? 0o700 : 0o600),
    size,
    mtime: new Date(mtimeMs ?? 0),
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
    // Whole seconds are all that plain tar keeps.
    ...(mtimeMs === undefined ? {} : { pax: { mtime: String(mtimeMs / 1000) } }),
  };
}

async function add(
  archive: Pack,
  header: TarHeader,
  content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onPiece?: (piece: Uint8Array) => void,
): Promise<void> {
  const done = Promise.withResolvers<void>();
  const sink = archive.entry(header, (error) => {
    if (error === null || error === undefined) {
      done.resolve();
    } else {
      done.reject(error);
    }
  });
  done.promise.catch(() => undefined);
  // Told by the callback already.
  sink.on('error', () => undefined);
  for await (const piece of content) {
    onPiece?.(piece);
    // Copied, because the archive may look at it later than the snapshot keeps it.
    if (!sink.write(Buffer.from(piece))) {
      await Promise.race([once(sink, 'drain'), done.promise]);
    }
  }
  sink.end(undefined);
  await done.promise;
}
