/** What a dry run tells the administrator. Pure. */
import type { Proof, RestorePlan } from '#engines';
import type { SnapshotManifest } from '#snapshots';
import { formatBytes, formatDuration } from '#system';

export interface DryRunFacts {
  readonly manifest: SnapshotManifest;
  readonly plan: RestorePlan;
  /** Of the staged data; without room to stage them they were only read. */
  readonly proof: Proof | undefined;
  /** How long fetching and proving took. */
  readonly tookMs: number;
  readonly keepHours: number;
}

/** Text of a few lines, each `topic: facts`. */
export function describeDryRun(facts: DryRunFacts): string {
  const { manifest, plan, proof, tookMs } = facts;
  const { engine, 'engine-version': version } = manifest.attributes;
  return [
    `would restore: ${formatBytes(manifest.totals.bytes)} of ${text(engine)} ${text(version)}, backed up until ${manifest.createdAt}`,
    `into: ${text(engine)} ${plan.serverVersion}`,
    `space: needs ${formatBytes(plan.neededBytes)}, ${formatBytes(plan.freeBytes)} free`,
    ...plan.droppedCopies.map(
      ({ name, bytes }) => `to make room: drops ${formatBytes(bytes)} that ${name} had replaced`,
    ),
    `replaced data: ${describeOldData(facts)}`,
    ...plan.warnings.map((warning) => `passed over as forced: ${warning}`),
    `proved: ${(proof?.findings ?? ['every byte of the backup was read; there is no room to stage it']).join('; ')}`,
    `time: about ${formatDuration(tookMs)} until the exchange, judged by this run`,
    proof === undefined
      ? `unavailable: from the drop of the live data to the end, about ${formatDuration(tookMs)} and the start of the server`
      : `unavailable: for about ${formatDuration(proof.expectedUnavailableMs)} at most`,
  ].join('\n');
}

function describeOldData({ plan, keepHours }: DryRunFacts): string {
  if (plan.dropsLiveData) {
    return 'LOST before the restored ones are there: no room for two copies, and the job is forced';
  }
  return keepHours > 0
    ? `kept for ${keepHours} h`
    : 'dropped once the restored ones have passed their checks';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : 'unknown';
}
