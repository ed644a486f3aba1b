/**
 * Takes in what requirers ask, has the runner run it, and tells everybody how it stands: requirers
 * in the relation, other units in the peer relation. One pass a call; the same pass again changes
 * nothing.
 */
import {
  artefactPathFor,
  type BackupRunner,
  chunkPrefixFor,
  type JobRecord,
  type JobSpec,
  type RunnerReport,
} from '#backup-runner';
import type { BackupProvider, JobDeadline, JobStatus } from '#database-backup';
import type { CharmBase, Relation } from '#ops';
import type { Clock } from '#system';
import type { DatabaseTypes } from './charm-types.ts';
import { defined, outcomeOf, statusOfOutcome, statusOfRecord } from './job-status.ts';
import {
  advanceLedger,
  encodeLedger,
  encodeOutcomes,
  type Ledger,
  type Outcome,
  parseLedger,
  parseOutcomes,
} from './ledger.ts';
import {
  planRequests,
  type RequestedJob,
  type RequestInput,
  type RequestPlan,
} from './plan-requests.ts';

/** What the desk needs of the runner. */
export type Runner = Pick<BackupRunner, 'reconcile' | 'forget' | 'jobs'>;

export interface DeskOptions {
  readonly runner: Runner;
  readonly refusal?: RequestInput['refusal'];
  /** A peer unit that has just left. */
  readonly departedUnit?: string | undefined;
  /** Whether every living peer is known here: a young unit meets them one event at a time. */
  readonly isSettled?: boolean;
  /** For what a job does not limit itself. */
  readonly deadlines?: JobDeadline;
}

export const PEERS = 'database-peers';
const LEDGER_KEY = 'ledger';
const OUTCOMES_KEY = 'outcomes';

export class JobDesk {
  readonly #charm: CharmBase<DatabaseTypes>;
  readonly #provider: BackupProvider;
  readonly #clock: Clock;
  /** Read once: what this dispatch writes is not committed yet, and must not confirm a claim. */
  #committed: { readonly ledger: Ledger | undefined } | undefined;

  constructor(charm: CharmBase<DatabaseTypes>, provider: BackupProvider, clock: Clock) {
    this.#charm = charm;
    this.#provider = provider;
    this.#clock = clock;
  }

  /** Whether the ledger can be read; where it cannot, nothing new is claimed. */
  get isLedgerSound(): boolean {
    return this.#readLedger() !== undefined;
  }

  async reconcile(options: DeskOptions): Promise<RunnerReport> {
    const { runner } = options;
    const ledger = this.#readLedger() ?? new Map();
    const plan = this.#plan(ledger, options);
    const own = [...ledger].filter(([, entry]) => entry.unit === this.#charm.unit.name);
    const report = await runner.reconcile({
      wanted: plan.mine.map((one) => this.#toSpec(one, options.deadlines ?? {})),
      committedClaims: new Set(own.map(([jobId]) => jobId)),
      undecided: plan.undecided,
    });
    await forgetWithdrawn(runner, report, plan);
    this.#tellPeers(ledger, plan, report, options);
    this.#tellRequirers(ledger, plan, report);
    return report;
  }

  #plan(ledger: Ledger, { refusal }: DeskOptions): RequestPlan {
    const requests = this.#provider
      .requests()
      .map(({ relation, ...asked }) => ({ relationId: relation.id, ...asked }));
    return planRequests({
      requests,
      ledger,
      unit: this.#charm.unit.name,
      isLeader: this.#charm.unit.isLeader(),
      canClaim: this.#peers() !== undefined && this.isLedgerSound,
      ...(refusal === undefined ? {} : { refusal }),
    });
  }

  #toSpec({ job }: RequestedJob, deadlines: JobDeadline): JobSpec {
    const { model, app, unit } = this.#charm;
    const place = { path: job.storageConfig.path, model: model.name, app: app.name };
    const deadline = mergeDeadlines(deadlines, job.deadline);
    const artefactPath =
      job.jobType === 'restore'
        ? job.artefactPath
        : artefactPathFor({ ...place, jobId: job.jobId, time: this.#clock.now() });
    return {
      jobId: job.jobId,
      jobType: job.jobType,
      compression: job.compression,
      storageConfig: job.storageConfig,
      chunkPrefix: chunkPrefixFor(place),
      attributes: {
        model: model.name,
        'model-uuid': model.uuid,
        application: app.name,
        unit: unit.name,
        'job-id': job.jobId,
      },
      ...defined({ artefactPath, requestedAt: job.requestedAt, undoOf: job.undoOf }),
      ...defined({ isCancelled: job.isCancelled, isDryRun: job.isDryRun, isForced: job.isForced }),
      ...(deadline === undefined ? {} : { deadline }),
    };
  }

  #tellPeers(ledger: Ledger, plan: RequestPlan, report: RunnerReport, options: DeskOptions): void {
    const peers = this.#peers();
    if (peers === undefined) {
      return;
    }
    const { unit, app } = this.#charm;
    const own = outcomesOf(report.jobs, plan.requested);
    peers.data(unit).set(OUTCOMES_KEY, own.size === 0 ? '' : encodeOutcomes(own));
    if (!unit.isLeader() || !this.isLedgerSound) {
      return;
    }
    const relations = new Map(plan.mine.map((one) => [one.job.jobId, one.relationId]));
    const next = advanceLedger(ledger, {
      claimed: report.claimed.flatMap((jobId) => {
        const relation = relations.get(jobId);
        return relation === undefined ? [] : [{ jobId, relation }];
      }),
      refused: plan.refused,
      outcomes: new Map([[unit.name, own], ...this.#outcomesOfOthers(peers, options)]),
      goneUnits: this.#goneUnits(ledger, peers, options),
      requested: plan.requested,
      unit: unit.name,
      now: this.#clock.now(),
    });
    peers.data(app).set(LEDGER_KEY, next.size === 0 ? '' : encodeLedger(next));
  }

  #outcomesOfOthers(
    peers: Relation,
    { departedUnit }: DeskOptions,
  ): (readonly [string, ReadonlyMap<string, Outcome>])[] {
    const departed = departedUnit === undefined ? [] : [this.#charm.model.getUnit(departedUnit)];
    return [...peers.units, ...departed]
      .filter((unit) => !unit.isOwn)
      .map((unit) => [unit.name, parseOutcomes(peers.data(unit).get(OUTCOMES_KEY))]);
  }

  #goneUnits(ledger: Ledger, peers: Relation, options: DeskOptions): string[] {
    const { departedUnit, isSettled = false } = options;
    const living = new Set([this.#charm.unit.name, ...peers.units.map((unit) => unit.name)]);
    const missing = [...ledger.values()]
      .map((entry) => entry.unit)
      .filter((name) => !living.has(name));
    return [
      ...(departedUnit === undefined || living.has(departedUnit) ? [] : [departedUnit]),
      ...(isSettled ? missing : []),
    ];
  }

  #tellRequirers(ledger: Ledger, plan: RequestPlan, report: RunnerReport): void {
    const records = new Map(report.jobs.map((record) => [record.jobId, record]));
    for (const { relation, isReadable } of this.#provider.requests()) {
      if (!isReadable) {
        continue;
      }
      const mine = plan.mine
        .filter((one) => one.relationId === relation.id)
        .flatMap(({ job }): JobStatus[] => {
          const record = records.get(job.jobId);
          const outcome = ledger.get(job.jobId)?.outcome;
          if (record !== undefined) {
            return [statusOfRecord(job, record)];
          }
          return outcome === undefined ? [] : [statusOfOutcome(job, outcome)];
        });
      this.#provider.publish(relation, [...mine, ...(plan.answers.get(relation.id) ?? [])]);
    }
  }

  #peers(): Relation | undefined {
    return this.#charm.model.getRelation(PEERS);
  }

  #readLedger(): Ledger | undefined {
    this.#committed ??= {
      ledger: parseLedger(this.#peers()?.data(this.#charm.app).get(LEDGER_KEY)),
    };
    return this.#committed.ledger;
  }
}

/** What the job says counts, the charm's settings fill the rest; undefined where nothing is limited. */
function mergeDeadlines(
  settings: JobDeadline,
  asked: JobDeadline | undefined,
): JobDeadline | undefined {
  const merged = { ...settings, ...asked };
  return Object.keys(merged).length === 0 ? undefined : merged;
}

/** Ended jobs somebody still asks for: others may have to speak for this unit one day. */
function outcomesOf(
  records: readonly JobRecord[],
  requested: ReadonlySet<string>,
): ReadonlyMap<string, Outcome> {
  return new Map(
    records.flatMap((record) => {
      const outcome = outcomeOf(record);
      return outcome === undefined || !requested.has(record.jobId)
        ? []
        : [[record.jobId, outcome] as const];
    }),
  );
}

async function forgetWithdrawn(
  runner: Runner,
  report: RunnerReport,
  plan: RequestPlan,
): Promise<void> {
  const withdrawn = report.jobs
    .filter((record) => outcomeOf(record) !== undefined && !plan.requested.has(record.jobId))
    .map((record) => record.jobId);
  if (withdrawn.length > 0) {
    await runner.forget(withdrawn);
  }
}
