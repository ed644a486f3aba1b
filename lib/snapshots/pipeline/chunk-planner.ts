/** Decides of each chunk of a batch whether it must be stored, and whether as a whole or as the pages that have changed. */
import type { BaseChunk, ChunkLocation, ChunkTable } from '../chunk-table.ts';
import { KEPT_DIGEST_SIZE, MIN_PAGED_SIZE } from '../format.ts';
import type { PackSource } from '../pack-footer.ts';
import { changedPages } from '../page-delta.ts';
import { PageDigests } from '../page-digests.ts';
import type { ParentChunk } from '../parent-files.ts';
import type { Action, Batch } from './batch.ts';
import { type EncodeOrder, type Hashed, ID_LENGTH, pagesIn } from './batch-work.ts';

/** One chunk to be stored, and what of it. */
export interface ChunkPlan extends EncodeOrder {
  readonly extent: number;
  /** Kept with the chunk, for backups to come. */
  readonly digests: Uint8Array | undefined;
  readonly base: BaseChunk | undefined;
}

export interface ChunkPlannerOptions extends PackSource {
  readonly known: ChunkTable;
  /** Of so many chunks stored one is decoded again first; 0 for none. */
  readonly recheckEvery: number;
}

type ChunkAction = Extract<Action, { kind: 'chunk' }>;

export class ChunkPlanner {
  readonly #options: ChunkPlannerOptions;
  readonly #digests: PageDigests;
  #planned = 0;

  constructor(options: ChunkPlannerOptions) {
    this.#options = options;
    this.#digests = new PageDigests(options);
  }

  /** The chunks nobody has stored yet. */
  async plan(batch: Batch, { ids, digests }: Hashed): Promise<readonly ChunkPlan[]> {
    const plans: ChunkPlan[] = [];
    let from = 0;
    for (const chunk of batch.actions.filter((action) => action.kind === 'chunk')) {
      const to = from + pagesIn(chunk.length) * KEPT_DIGEST_SIZE;
      const own = digests.subarray(from, to);
      from = to;
      const id = idAt(ids, chunk.extent);
      if (!this.#isStored(id, chunk) && chunk.file?.isGone !== true) {
        const at = batch.extents[chunk.extent]?.at ?? 0;
        plans.push(await this.#planChunk({ id: id.toString('hex'), at }, chunk, own));
      }
    }
    return plans;
  }

  #isStored(id: Buffer, { before }: ChunkAction): boolean {
    return this.#options.known.find(id) !== undefined || isSame(before, id.toString('hex'));
  }

  async #planChunk(
    place: { readonly id: string; readonly at: number },
    { extent, length, before }: ChunkAction,
    own: Uint8Array,
  ): Promise<ChunkPlan> {
    const recheck = this.#isRechecked();
    const order = { ...place, extent, length, recheck };
    if (length <= MIN_PAGED_SIZE) {
      return { ...order, pages: undefined, digests: undefined, base: undefined };
    }
    const base = baseOf(before, length);
    const former = base && (await this.#digests.of(base));
    const pages = former && changedPages(own, former);
    return { ...order, pages, digests: own, base: pages && base };
  }

  #isRechecked(): boolean {
    const { recheckEvery } = this.#options;
    this.#planned += 1;
    return recheckEvery > 0 && this.#planned % recheckEvery === 0;
  }
}

/** The id of an extent, a view. */
export function idAt(ids: Uint8Array, extent: number): Buffer {
  return Buffer.from(ids.buffer, ids.byteOffset + extent * ID_LENGTH, ID_LENGTH);
}

/** Whether the parent has this very chunk in its place, and it is still there. */
export function isSame(
  before: ParentChunk | undefined,
  id: string,
): before is ParentChunk & { readonly location: ChunkLocation } {
  return before?.location !== undefined && before.id === id;
}

/** The chunk whose changed pages are worth storing; deltas of deltas are none. */
function baseOf(before: ParentChunk | undefined, length: number): BaseChunk | undefined {
  if (before?.location === undefined || before.size !== length) {
    return undefined;
  }
  return before.location.base ?? { id: before.id, location: before.location };
}
