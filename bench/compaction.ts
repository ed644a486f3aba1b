/**
 * How much of the packs in the store nobody needs any more, when backups come daily and retention deletes old ones: a model of the
 * writer's packing (new chunks of a backup, in order, in packs of 8 MiB) with the real retention. Packs go only when no kept
 * snapshot names them, so some of what they hold is waste. Of a chunk of which at most half of the pages differ from its base only these
 * are stored (rows "pages"), or all of it (rows "whole", as it was before).
 *
 *   node bench/compaction.ts [--gibibytes 20] [--days 120] [--rules daily=7,weekly=4] [--left 0,0.25,0.375,0.5]
 *
 * `left below` is a writer that stores a chunk again, instead of referring to it, where its parent needs less than that part of
 * the pack: the way to compact without rewriting any pack or index.
 */
import { parseArgs } from 'node:util';
import { parseRetention, planRetention, type RetentionRules } from '#snapshots';

const KIB = 1024;
const PAGE = 8 * KIB;
const CHUNK = 256 * KIB;
const PAGES = CHUNK / PAGE;
const ALL_PAGES = 0xffff_ffff;
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
    left: { type: 'string', default: '0,0.25,0.375,0.5' },
  },
});

function main(): void {
  const rules = parseRetention(values.rules) ?? {};
  const head = [
    'stored',
    'changes a day',
    'left below',
    'needed GB',
    'in packs GB',
    'waste',
    'new GB a day',
  ];
  print(head);
  print(head.map(() => '---'));
  for (const stored of ['whole', 'pages'] as const) {
    for (const change of CHANGES) {
      for (const threshold of values.left.split(',').map(Number)) {
        print(row(new Model(stored, threshold), change, rules));
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
    model.stored,
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

/** A database as the number of the stored chunk at each position; stored chunks with their packs, sizes and bases. */
class Model {
  readonly stored: 'whole' | 'pages';
  readonly threshold: number;
  readonly #positions: number;
  readonly #snapshots = new Map<number, Int32Array>();
  readonly #packOf: number[] = [];
  readonly #bytesOf: number[] = [];
  /** The chunk itself where it has no base. */
  readonly #baseOf: number[] = [];
  /** A bit for each page in which the latest chunk of a position differs from its base. */
  readonly #differing: Uint32Array;
  /** Bytes in each pack. */
  readonly #sizes = new Map<number, number>();
  #packs = 0;
  #added = 0;
  #random = 42;

  constructor(stored: 'whole' | 'pages', threshold: number) {
    this.stored = stored;
    this.threshold = threshold;
    this.#positions = Math.floor((Number(values.gibibytes) * 1024 ** 3) / CHUNK);
    this.#differing = new Uint32Array(this.#positions);
  }

  backUp(day: number, change: Change): void {
    const parent = this.#snapshots.get(day - 1);
    const left = parent === undefined ? new Set<number>() : this.#poorlyUsed(parent);
    const length = Math.floor(this.#positions * change.contiguous);
    const start = Math.floor(this.#next() * (this.#positions - length));
    const now = new Int32Array(this.#positions);
    this.#added = 0;
    // Each backup begins a pack of its own.
    this.#packs += 1;
    for (let at = 0; at < this.#positions; at += 1) {
      const isInStretch = at >= start && at < start + length;
      const changed = isInStretch ? ALL_PAGES : this.#changedPages(change.pages);
      const known = parent?.[at];
      const isUsable = known !== undefined && !this.#isLeft(known, left);
      now[at] = !isUsable
        ? this.#storeWhole(at)
        : changed === 0
          ? known
          : this.#storeChanged(at, known, changed);
    }
    this.#snapshots.set(day, now);
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
    const isNeeded = new Uint8Array(this.#packOf.length);
    for (const snapshot of this.#snapshots.values()) {
      for (const chunk of snapshot) {
        isNeeded[chunk] = 1;
        isNeeded[this.#baseOf[chunk] ?? chunk] = 1;
      }
    }
    const named = new Set<number>();
    let needed = 0;
    for (const [chunk, pack] of this.#packOf.entries()) {
      if (isNeeded[chunk] === 1) {
        needed += this.#bytesOf[chunk] ?? 0;
        named.add(pack);
      }
    }
    const stored = [...named].reduce((sum, pack) => sum + (this.#sizes.get(pack) ?? 0), 0);
    return { needed, stored, added: this.#added };
  }

  /** Packs of which the parent needs less than the threshold. */
  #poorlyUsed(parent: Int32Array): ReadonlySet<number> {
    const used = new Map<number, number>();
    for (const chunk of new Set([...parent].flatMap((it) => [it, this.#baseOf[it] ?? it]))) {
      const pack = this.#packOf[chunk] ?? 0;
      used.set(pack, (used.get(pack) ?? 0) + (this.#bytesOf[chunk] ?? 0));
    }
    const isPoor = ([pack, bytes]: readonly [number, number]): boolean =>
      bytes < this.threshold * (this.#sizes.get(pack) ?? 0);
    return new Set([...used].filter(isPoor).map(([pack]) => pack));
  }

  #isLeft(chunk: number, left: ReadonlySet<number>): boolean {
    const base = this.#baseOf[chunk] ?? chunk;
    return left.has(this.#packOf[chunk] ?? 0) || left.has(this.#packOf[base] ?? 0);
  }

  #changedPages(part: number): number {
    let pages = 0;
    const count = part === 0 ? 0 : PAGES;
    for (let page = 0; page < count; page += 1) {
      pages |= this.#next() < part ? 1 << page : 0;
    }
    return pages >>> 0;
  }

  #storeChanged(at: number, known: number, changed: number): number {
    const differing = ((this.#differing[at] ?? 0) | changed) >>> 0;
    const count = bitsOf(differing);
    if (this.stored === 'whole' || count > PAGES / 2) {
      return this.#storeWhole(at);
    }
    this.#differing[at] = differing;
    return this.#store(count * PAGE * COMPRESSED, this.#baseOf[known] ?? known);
  }

  #storeWhole(at: number): number {
    this.#differing[at] = 0;
    return this.#store(CHUNK * COMPRESSED, undefined);
  }

  #store(bytes: number, base: number | undefined): number {
    if ((this.#sizes.get(this.#packs) ?? 0) + bytes > PACK) {
      this.#packs += 1;
    }
    this.#sizes.set(this.#packs, (this.#sizes.get(this.#packs) ?? 0) + bytes);
    this.#added += bytes;
    this.#packOf.push(this.#packs);
    this.#bytesOf.push(bytes);
    return this.#baseOf.push(base ?? this.#baseOf.length) - 1;
  }

  /** The same every time. */
  #next(): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return this.#random / 2 ** 32;
  }
}

function bitsOf(number: number): number {
  let bits = 0;
  for (let rest = number; rest !== 0; rest &= rest - 1) {
    bits += 1;
  }
  return bits;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, it) => sum + it, 0) / Math.max(1, numbers.length);
}

function print(cells: readonly string[]): void {
  process.stdout.write(`| ${cells.join(' | ')} |\n`);
}

main();
