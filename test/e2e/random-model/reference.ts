/** The reference model: what every server must hold, given how its jobs ended. Pure. */
import type { Result } from '../../../lib/backup-runner/job-files.ts';
import type { SeenJob } from './evidence.ts';

type Ended = SeenJob & { readonly result: Result };

export class Reference {
  /** Unit → what its server holds, as `contentOf` reads it. */
  readonly contents = new Map<string, string>();
  /** Artefact path → what it was taken from. */
  readonly artefacts = new Map<string, { readonly database: string; readonly content: string }>();
  /** Restore → what it replaced. */
  readonly #replaced = new Map<string, string>();
  readonly #applied = new Set<string>();

  /** Takes in the ends of jobs, in the order in which they ended: restores are alone, so it is the order of their work. */
  apply(jobs: Iterable<SeenJob>): void {
    const ended = [...jobs]
      .filter((job): job is Ended => job.result !== undefined)
      .filter(({ claim }) => !this.#applied.has(claim.jobId))
      .toSorted((a, b) => (a.result.finishedAt < b.result.finishedAt ? -1 : 1));
    for (const job of ended) {
      this.#applied.add(job.claim.jobId);
      this.#applyOne(job);
    }
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
    const next =
      claim.undoOf === undefined
        ? this.artefacts.get(bare(claim.artefactPath ?? ''))?.content
        : this.#replaced.get(claim.undoOf);
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
