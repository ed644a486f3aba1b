/** What a dry run tells the administrator. Pure. */
import type { RestorePlan } from '#engines';
import type { SnapshotManifest } from '#snapshots';
import { formatBytes, formatDuration } from '#system';

export interface DryRunFacts {
  readonly manifest: SnapshotManifest;
  readonly plan: RestorePlan;
  /** What the engine found on the way. */
  readonly findings: readonly string[];
  /** How long fetching and proving took. */
  readonly tookMs: number;
  readonly keepHours: number;
}

/** Text of a few lines, each `topic: facts`. */
export function describeDryRun(facts: DryRunFacts): string {
  const { manifest, plan, findings, tookMs } = facts;
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
    `proved: ${findings.join('; ')}`,
    `time: about ${formatDuration(tookMs)} until the exchange, judged by this run`,
    plan.dropsLiveData
      ? `unavailable: from the drop of the live data to the end, about ${formatDuration(tookMs)} and the start of the server`
      : 'unavailable: for a stop and a start of the server, commonly a few seconds; recovery is done beforehand',
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
