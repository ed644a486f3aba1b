/** The records of upkeep on disk: one file each, replaced as a whole, so that charm and process may both write. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  hasErrorCode,
  isProcessAlive,
  makePrivateDirectory,
  readFileIfExists,
  writeFileAtomic,
} from '#system';
import { isRecord, type UpkeepRecord } from './upkeep.ts';

const SUFFIX = '.json';
/** Ended ones kept. */
const MAX_ENDED = 20;
/** A process says who it is within a second of its start; more is for slow and busy machines. */
const START_MS = 60_000;

export class RecordFiles {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  async prepare(): Promise<void> {
    await makePrivateDirectory(this.directory);
  }

  /** @throws Error `ENOENT` where the directory is gone: then nobody wants to know any more */
  async write(record: UpkeepRecord): Promise<void> {
    await writeFileAtomic(this.#pathOf(record.id), JSON.stringify(record));
  }

  async read(id: string): Promise<UpkeepRecord | undefined> {
    return decode(await readFileIfExists(this.#pathOf(id)));
  }

  /** Newest first. Those whose process is gone are ended here, and the oldest ended ones removed. */
  async list(now: Date): Promise<readonly UpkeepRecord[]> {
    const ids = await this.#ids();
    const read = await Promise.all(ids.map(async (id) => await this.read(id)));
    const records = read
      .filter((one) => one !== undefined)
      .toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
    const current = await Promise.all(records.map(async (one) => await this.#settled(one, now)));
    const surplus = current.filter(({ state }) => state !== 'running').slice(MAX_ENDED);
    await this.remove(surplus);
    return current.filter((one) => !surplus.includes(one));
  }

  async remove(records: readonly UpkeepRecord[]): Promise<void> {
    await Promise.all(records.map(async ({ id }) => await rm(this.#pathOf(id), { force: true })));
  }

  async #settled(record: UpkeepRecord, now: Date): Promise<UpkeepRecord> {
    if (record.state !== 'running' || isAlive(record, now)) {
      return record;
    }
    // It may have ended properly since it was read.
    const again = await this.read(record.id);
    if (again !== undefined && again.state !== 'running') {
      return again;
    }
    const ended: UpkeepRecord = {
      ...record,
      state: 'error',
      finishedAt: now.toISOString(),
      errorCode: 'lost',
      message: 'its process ended without a result',
      hint: 'begin it again',
    };
    await this.write(ended);
    return ended;
  }

  async #ids(): Promise<readonly string[]> {
    try {
      const names = await readdir(this.directory);
      return names
        .filter((name) => name.endsWith(SUFFIX))
        .map((name) => name.slice(0, -SUFFIX.length));
    } catch (error) {
      if (hasErrorCode(error, 'ENOENT')) {
        return [];
      }
      throw error;
    }
  }

  #pathOf(id: string): string {
    return join(this.directory, `${id}${SUFFIX}`);
  }
}

function isAlive({ process, startedAt }: UpkeepRecord, now: Date): boolean {
  return process === undefined
    ? now.getTime() - Date.parse(startedAt) < START_MS
    : isProcessAlive(process);
}

function decode(text: string | undefined): UpkeepRecord | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
