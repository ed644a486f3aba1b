/** The reference model: what every server must hold, given how its jobs ended. Pure. */
import type { Claim, Result } from '../../../lib/backup-runner/job-files.ts';
import type { SeenJob } from './evidence.ts';

type Ended = SeenJob & { readonly result: Result };

export class Reference {
  /** Unit → what its server holds, as `contentOf` reads it. */
  readonly contents = new Map<string, string>();
  /** Artefact path → what it was taken from. */
  readonly artefacts = new Map<string, { readonly database: string; readonly content: string }>();
  /** Restore → what it replaced. */
  readonly #replaced = new Map<string, string>();
  /** Unit → what it holds instead if the restore succeeded whose end nobody saw. */
  readonly #untold = new Map<string, { readonly jobId: string; readonly content: string }>();
  readonly #applied = new Set<string>();

  /** Takes in the ends of jobs, in the order in which they ended: restores are alone, so it is the order of their work. */
  apply(jobs: Iterable<SeenJob>): void {
    const all = [...jobs];
    for (const job of all.filter(({ isUntold }) => isUntold === true)) {
      this.#doubt(job);
    }
    const ended = all
      .filter((job): job is Ended => job.result !== undefined)
      .filter(({ claim }) => !this.#applied.has(claim.jobId))
      .toSorted((a, b) => (a.result.finishedAt < b.result.finishedAt ? -1 : 1));
    for (const job of ended) {
      this.#applied.add(job.claim.jobId);
      this.#applyOne(job);
    }
  }

  /** What was found settles a doubt. @returns whether a server may hold that */
  accepts(unit: string, found: string): boolean {
    const doubt = this.#untold.get(unit);
    const now = this.contents.get(unit);
    this.#untold.delete(unit);
    if (doubt === undefined || found !== doubt.content) {
      return found === now;
    }
    this.#replaced.set(doubt.jobId, now ?? '');
    this.contents.set(unit, found);
    return true;
  }

  #doubt({ unit, claim }: SeenJob): void {
    const content = this.#broughtBackBy(claim);
    const isNew = !this.#applied.has(claim.jobId);
    this.#applied.add(claim.jobId);
    if (isNew && claim.jobType === 'restore' && content !== undefined) {
      this.#untold.set(unit, { jobId: claim.jobId, content });
    }
  }

  #broughtBackBy({ undoOf, artefactPath = '' }: Claim): string | undefined {
    return undoOf === undefined
      ? this.artefacts.get(bare(artefactPath))?.content
      : this.#replaced.get(undoOf);
  }

  #applyOne({ unit, claim, result: { outcome } }: Ended): void {
    const now = this.contents.get(unit);
    // An error changes nothing, and so does a unit that is gone.
    if (outcome.status === 'error' || now === undefined) {
      return;
    }
    const path = bare(outcome.artefactPath);
    if (claim.jobType === 'backup') {
      this.artefacts.set(path, { database: unit.split('/')[0] ?? '', content: now });
      return;
    }
    const next = this.#broughtBackBy(claim);
    if (next === undefined) {
      throw new Error(`${claim.jobId} succeeded, and brought back what nobody knows`);
    }
    this.#replaced.set(claim.jobId, now);
    this.contents.set(unit, next);
  }
}

/** Paths may come with slashes around them. */
export function bare(path: string): string {
  return path.replace(/^\/+|\/+$/g, '');
}
