/**
 * How much of the packs in the store nobody needs any more, when backups come daily and retention deletes old ones: a model of the
 * writer's packing (new chunks of a backup, in order, in packs of 8 MiB) with the real retention. Packs go only when no kept
 * snapshot names them, so some of what they hold is waste.
 *
 *   node bench/compaction.ts [--gibibytes 20] [--days 120] [--rules daily=7,weekly=4]
 *
 * `retired` is a writer that stores a chunk again, instead of referring to it, where its parent needs less than that part of
 * the pack: the way to compact without rewriting any pack or index.
 */
import { parseArgs } from 'node:util';
import { parseRetention, planRetention, type RetentionRules } from '#snapshots';

const KIB = 1024;
const PAGE = 8 * KIB;
const PACK = 8 * 1024 * KIB;
/** What zstd leaves of production data. */
const COMPRESSED = 0.5;
const DAY_MS = 86_400_000;
/** The first days are no example: nothing was deleted yet. */
const WARM_UP_DAYS = 60;

interface Change {
  readonly name: string;
  /** Part of the database that one stretch of changed rows covers, each day. */
  readonly contiguous: number;
  /** Part of the pages that changed rows anywhere touch, each day. */
  readonly pages: number;
}

// 0.05 % of rows of 200 bytes touch 2 % of the pages of a table, and about as many of its index.
const CHANGES: readonly Change[] = [
  { name: '1 % contiguous', contiguous: 0.01, pages: 0 },
  { name: '0.05 % uniform', contiguous: 0, pages: 0.02 },
  { name: 'both', contiguous: 0.01, pages: 0.02 },
];

const { values } = parseArgs({
  options: {
    gibibytes: { type: 'string', default: '20' },
    days: { type: 'string', default: '120' },
    rules: { type: 'string', default: 'daily=7,weekly=4' },
  },
});

function main(): void {
  const rules = parseRetention(values.rules) ?? {};
  const head = [
    'chunk',
    'changes a day',
    'retired below',
    'needed GB',
    'in packs GB',
    'waste',
    'new GB a day',
  ];
  print(head);
  print(head.map(() => '---'));
  for (const chunk of [256, 128, 64]) {
    for (const change of CHANGES) {
      for (const threshold of [0, 0.25, 0.5]) {
        print(row(new Model(chunk * KIB, threshold), change, rules));
      }
    }
  }
}

function row(model: Model, change: Change, rules: RetentionRules): readonly string[] {
  const days: Usage[] = [];
  for (let day = 0; day < Number(values.days); day += 1) {
    model.backUp(day, change);
    model.retain(rules, day);
    days.push(...(day < WARM_UP_DAYS ? [] : [model.usage()]));
  }
  const needed = mean(days.map((it) => it.needed));
  const stored = mean(days.map((it) => it.stored));
  return [
    `${model.chunkSize / KIB} KiB`,
    change.name,
    model.threshold === 0 ? 'never' : `${model.threshold * 100} %`,
    (needed / 1e9).toFixed(2),
    (stored / 1e9).toFixed(2),
    `${((stored / needed - 1) * 100).toFixed(0)} %`,
    (mean(days.map((it) => it.added)) / 1e9).toFixed(2),
  ];
}

interface Usage {
  /** Bytes of the chunks that kept snapshots refer to, each once. */
  readonly needed: number;
  /** Bytes of the packs they name. */
  readonly stored: number;
  /** Bytes the latest backup stored. */
  readonly added: number;
}

/** A database as the number of the stored chunk at each position; stored chunks as the packs they lie in. */
class Model {
  readonly chunkSize: number;
  readonly threshold: number;
  readonly #positions: number;
  readonly #chunksPerPack: number;
  readonly #snapshots = new Map<number, Int32Array>();
  readonly #packOf: number[] = [];
  /** Chunks in each pack. */
  readonly #sizes = new Map<number, number>();
  #packs = 0;
  #filled = 0;
  #added = 0;
  #random = 42;

  constructor(chunkSize: number, threshold: number) {
    this.chunkSize = chunkSize;
    this.threshold = threshold;
    this.#positions = Math.floor((Number(values.gibibytes) * 1024 ** 3) / chunkSize);
    this.#chunksPerPack = Math.floor(PACK / (chunkSize * COMPRESSED));
  }

  backUp(day: number, change: Change): void {
    const parent = this.#snapshots.get(day - 1);
    const retired = parent === undefined ? new Set<number>() : this.#poorlyUsed(parent);
    const chunkChanges = 1 - (1 - change.pages) ** (this.chunkSize / PAGE);
    const length = Math.floor(this.#positions * change.contiguous);
    const start = Math.floor(this.#next() * (this.#positions - length));
    const now = new Int32Array(this.#positions);
    const before = this.#packOf.length;
    // Each backup begins a pack of its own.
    this.#filled = this.#chunksPerPack;
    for (let at = 0; at < this.#positions; at += 1) {
      const known = parent?.[at];
      const isChanged = (at >= start && at < start + length) || this.#next() < chunkChanges;
      const isUsable = known !== undefined && !retired.has(this.#packOf[known] ?? 0);
      now[at] = isUsable && !isChanged ? known : this.#store();
    }
    this.#snapshots.set(day, now);
    this.#added = (this.#packOf.length - before) * this.chunkSize * COMPRESSED;
  }

  retain(rules: RetentionRules, day: number): void {
    const candidates = [...this.#snapshots.keys()].map((made) => ({
      artefactPath: String(made),
      createdAt: new Date(made * DAY_MS).toISOString(),
      isKept: false,
      isPinned: false,
    }));
    for (const { artefactPath, keep } of planRetention(candidates, rules, new Date(day * DAY_MS))) {
      if (!keep) {
        this.#snapshots.delete(Number(artefactPath));
      }
    }
  }

  usage(): Usage {
    const chunks = new Uint8Array(this.#packOf.length);
    for (const snapshot of this.#snapshots.values()) {
      for (const chunk of snapshot) {
        chunks[chunk] = 1;
      }
    }
    const named = new Set<number>();
    let needed = 0;
    for (const [chunk, pack] of this.#packOf.entries()) {
      if (chunks[chunk] === 1) {
        needed += 1;
        named.add(pack);
      }
    }
    const stored = [...named].reduce((sum, pack) => sum + (this.#sizes.get(pack) ?? 0), 0);
    const bytes = this.chunkSize * COMPRESSED;
    return { needed: needed * bytes, stored: stored * bytes, added: this.#added };
  }

  #poorlyUsed(parent: Int32Array): ReadonlySet<number> {
    const used = new Map<number, number>();
    for (const chunk of parent) {
      const pack = this.#packOf[chunk] ?? 0;
      used.set(pack, (used.get(pack) ?? 0) + 1);
    }
    const isPoor = ([pack, chunks]: readonly [number, number]): boolean =>
      chunks < this.threshold * (this.#sizes.get(pack) ?? 0);
    return new Set([...used].filter(isPoor).map(([pack]) => pack));
  }

  #store(): number {
    if (this.#filled >= this.#chunksPerPack) {
      this.#packs += 1;
      this.#filled = 0;
    }
    this.#filled += 1;
    this.#sizes.set(this.#packs, this.#filled);
    return this.#packOf.push(this.#packs) - 1;
  }

  /** The same every time. */
  #next(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random / 2 ** 32;
  }
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, it) => sum + it, 0) / Math.max(1, numbers.length);
}

function print(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

main();
