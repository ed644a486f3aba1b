/**
 * Writes `backup_manifest` in PostgreSQL's format, so that pg_verifybackup proves presence and size of
 * every file and reads the WAL. It has no checksums of files: the snapshot has better ones.
 */
import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

const BUFFER_LENGTH = 64 * 1024;
// Version 2 of the format has the system identifier.
const FIRST_WITH_VERSION_2 = 17;

/** The WAL a recovery needs. */
export interface WalRange {
  readonly timeline: number;
  /** For example `0/3000028`. */
  readonly startLsn: string;
  readonly endLsn: string;
}

export interface ManifestEnding {
  readonly major: number;
  readonly systemIdentifier: string;
  readonly range: WalRange;
}

/** Collects a line per file outside of memory, as there may be millions. */
export class BackupManifest implements AsyncDisposable {
  readonly #draft: FileHandle;
  readonly #gone = new Set<string>();
  #buffered = '';

  private constructor(draft: FileHandle) {
    this.#draft = draft;
  }

  /** The draft lies in `scratchDirectory` without a name, so that nothing is left of it in any case. */
  static async begin(scratchDirectory: string): Promise<BackupManifest> {
    const path = join(scratchDirectory, `backup-manifest-${randomBytes(8).toString('hex')}`);
    const draft = await open(path, 'wx+', 0o600);
    await unlink(path);
    return new BackupManifest(draft);
  }

  async add(path: string, size: number, mtimeMs: number): Promise<void> {
    const modified = new Date(mtimeMs).toISOString().replace('T', ' ').replace(/\..*$/, ' GMT');
    const fields = `"Path": ${JSON.stringify(path)}, "Size": ${size}, "Last-Modified": "${modified}"`;
    this.#buffered += `{ ${fields} }\n`;
    if (this.#buffered.length >= BUFFER_LENGTH) {
      await this.#flush();
    }
  }

  /** It was added, and is no part of the backup after all. */
  remove(path: string): void {
    this.#gone.add(path);
  }

  /** Nothing may be added or removed any more. */
  async finish(ending: ManifestEnding): Promise<{ size: number; open(): AsyncIterable<Buffer> }> {
    await this.#flush();
    const hash = createHash('sha256');
    let size = 0;
    for await (const piece of this.#text(ending)) {
      hash.update(piece);
      size += piece.length;
    }
    const last = Buffer.from(`"Manifest-Checksum": "${hash.digest('hex')}"}\n`);
    const text = (): AsyncIterable<Buffer> => this.#text(ending);
    return {
      size: size + last.length,
      open: async function* () {
        yield* text();
        yield last;
      },
    };
  }

  async #flush(): Promise<void> {
    await this.#draft.appendFile(this.#buffered);
    this.#buffered = '';
  }

  async *#text(ending: ManifestEnding): AsyncGenerator<Buffer, void, undefined> {
    const { major, systemIdentifier, range } = ending;
    let text = `{ "PostgreSQL-Backup-Manifest-Version": 1,\n"Files": [`;
    if (major >= FIRST_WITH_VERSION_2) {
      text = `{ "PostgreSQL-Backup-Manifest-Version": 2,\n"System-Identifier": ${systemIdentifier},\n"Files": [`;
    }
    let separator = '\n';
    for await (const line of this.#draft.readLines({ start: 0, autoClose: false })) {
      if (this.#isGone(line)) {
        continue;
      }
      text += separator + line;
      separator = ',\n';
      if (text.length >= BUFFER_LENGTH) {
        yield Buffer.from(text);
        text = '';
      }
    }
    const { timeline, startLsn, endLsn } = range;
    text += `\n],\n"WAL-Ranges": [\n{ "Timeline": ${timeline}, "Start-LSN": "${startLsn}", "End-LSN": "${endLsn}" }\n],\n`;
    yield Buffer.from(text);
  }

  #isGone(line: string): boolean {
    return this.#gone.size > 0 && this.#gone.has((JSON.parse(line) as { Path: string }).Path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#draft.close();
  }
}
