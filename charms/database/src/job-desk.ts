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
import {
  type BackupProvider,
  CredentialsReader,
  type Job,
  type JobDeadline,
  type JobStatus,
  type RelationRequests,
} from '#database-backup';
import type { CharmBase, Relation } from '#ops';
import { type Clock, HintError } from '#system';
import type { DatabaseTypes } from './charm-types.ts';
import {
  CLAIMS_KEY,
  hearPeers,
  NO_NEWS,
  OUTCOMES_KEY,
  type PeerNews,
  seenUnits,
} from './hear-peers.ts';
import { defined, failureOf, outcomeOf, statusOfOutcome, statusOfRecord } from './job-status.ts';
import { wishesOf } from './job-wishes.ts';
import {
  advanceLedger,
  encodeClaims,
  encodeLedger,
  encodeOutcomes,
  isTold,
  type Ledger,
  type Outcome,
  type Primary,
  parseClaims,
  parseLedger,
  parseOutcomes,
  takeIn,
} from './ledger.ts';
import {
  planRequests,
  type RequestedJob,
  type RequestInput,
  type RequestPlan,
} from './plan-requests.ts';
import { electPrimary, encodePrimary, parsePrimary } from './primary.ts';

/** What the desk needs of the runner. */
export type Runner = Pick<BackupRunner, 'reconcile' | 'forget' | 'jobs'>;

export interface DeskOptions {
  readonly runner: Runner;
  readonly refusal?: RequestInput['refusal'];
  /** A peer unit that has just left. */
  readonly departedUnit?: string | undefined;
  /** For what a job does not limit itself. */
  readonly deadlines?: JobDeadline;
  /** For how long the data a restore replaces are kept. */
  readonly restoreKeepHours?: number;
  /**
   * Finds the restores whose replaced data are still here. Asked after the jobs were read: a worker sets
   * the data aside before it notes the end, so whoever looks the other way round may miss them.
   */
  readonly keptData?: () => Promise<ReadonlySet<string>>;
}

export const PEERS = 'database-peers';
const LEDGER_KEY = 'ledger';
const PRIMARY_KEY = 'primary';

/** The peer relation before this dispatch wrote to it. */
interface Committed {
  /** undefined where it is damaged. */
  readonly ledger: Ledger | undefined;
  readonly primary: Primary | undefined;
  /** What this unit has claimed. */
  readonly claims: ReadonlySet<string>;
  /** How jobs of this unit ended. */
  readonly outcomes: ReadonlyMap<string, Outcome>;
}

/** What one pass has found. */
interface Pass {
  readonly plan: RequestPlan;
  readonly report: RunnerReport;
  readonly primary: Primary | undefined;
}

export class JobDesk {
  readonly #charm: CharmBase<DatabaseTypes>;
  readonly #provider: BackupProvider;
  readonly #clock: Clock;
  readonly #credentials: CredentialsReader;
  /** Read once: what this dispatch writes is not committed yet, and must not confirm a claim. */
  #committed: Committed | undefined;
  #asked: readonly RelationRequests[] | undefined;
  #isKeeper: boolean | undefined;

  constructor(charm: CharmBase<DatabaseTypes>, provider: BackupProvider, clock: Clock) {
    this.#charm = charm;
    this.#provider = provider;
    this.#clock = clock;
    this.#credentials = new CredentialsReader(charm.model);
  }

  /** Whether the ledger can be read; where it cannot, nothing new is claimed. */
  get isLedgerSound(): boolean {
    return this.#readLedger() !== undefined;
  }

  async reconcile(options: DeskOptions): Promise<RunnerReport> {
    const { runner } = options;
    const news = this.#hearPeers(options);
    // Before anything is planned: what is lost is told in the same commit in which it is entered.
    const ledger = takeIn(this.#readLedger() ?? new Map(), news);
    const primary = this.#choosePrimary(ledger, news);
    const plan = this.#plan(ledger, primary, options);
    const report = await runner.reconcile({
      wanted: plan.mine.map((one) => this.#toSpec(one, options)),
      committedClaims: plan.committed,
      undecided: plan.undecided,
    });
    await forgetWithdrawn(runner, report, plan);
    this.#tellPeers(ledger, { plan, report, primary });
    this.#tellRequirers(ledger, plan, report, (await options.keptData?.()) ?? new Set());
    return report;
  }

  /** The unit that runs the jobs, as committed; undefined as long as none was elected. */
  get primary(): string | undefined {
    return this.#readCommitted().primary?.unit;
  }

  /** Whether there are other units, each with a server of its own. */
  get hasPeers(): boolean {
    return (this.#peers()?.units.length ?? 0) > 0;
  }

  #choosePrimary(ledger: Ledger, { goneUnits }: PeerNews): Primary | undefined {
    const { primary: recorded } = this.#readCommitted();
    const peers = this.#peers();
    if (peers === undefined || !this.#keepsLedger) {
      return recorded;
    }
    return electPrimary({
      recorded,
      ledger,
      self: this.#charm.unit.name,
      living: seenUnits(this.#charm, peers),
      gone: new Set(goneUnits),
    });
  }

  #plan(ledger: Ledger, primary: Primary | undefined, { refusal }: DeskOptions): RequestPlan {
    const requests = this.#requests().map(({ relation, ...asked }) => ({
      relationId: relation.id,
      ...asked,
    }));
    return planRequests({
      requests,
      ledger,
      unit: this.#charm.unit.name,
      isLeader: this.#charm.unit.isLeader(),
      primary,
      ownClaims: this.#readCommitted().claims,
      ...(refusal === undefined ? {} : { refusal }),
    });
  }

  #toSpec({ job, refusal }: RequestedJob, options: DeskOptions): JobSpec {
    const { model, app, unit } = this.#charm;
    const place = { path: job.storageConfig.path, model: model.name, app: app.name };
    const keepHours = job.jobType === 'restore' ? options.restoreKeepHours : undefined;
    const artefactPath =
      job.jobType === 'restore'
        ? job.artefactPath
        : artefactPathFor({ ...place, jobId: job.jobId, time: this.#clock.now() });
    return {
      jobId: job.jobId,
      jobType: job.jobType,
      compression: job.compression,
      ...this.#secretsOf(job),
      chunkPrefix: chunkPrefixFor(place),
      attributes: {
        model: model.name,
        'model-uuid': model.uuid,
        application: app.name,
        unit: unit.name,
        'job-id': job.jobId,
        ...defined({ label: job.label }),
      },
      ...defined({ artefactPath, keepHours }),
      ...wishesOf(job, options.deadlines ?? {}),
      ...(refusal === undefined ? {} : { refusal: failureOf(refusal) }),
    };
  }

  /** The keys themselves, in memory only; or why they cannot be had. */
  #secretsOf({
    storageConfig,
    encryption,
  }: Job): Pick<JobSpec, 'storageConfig' | 'passphrases' | 'refusal'> {
    try {
      return {
        storageConfig: this.#credentials.resolve(storageConfig),
        ...(encryption === undefined
          ? {}
          : { passphrases: this.#credentials.passphrases(encryption) }),
      };
    } catch (error) {
      if (!(error instanceof HintError) || error.code !== 'secret-not-granted') {
        throw error;
      }
      const { code, message, hint } = error;
      return { storageConfig, refusal: { code, message, ...defined({ hint }) } };
    }
  }

  #tellPeers(ledger: Ledger, pass: Pass): void {
    const { plan, report, primary } = pass;
    const peers = this.#peers();
    if (peers === undefined) {
      return;
    }
    const { unit, app } = this.#charm;
    const own = this.#outcomes(pass);
    const claims = this.#claims(pass);
    peers.data(unit).set(OUTCOMES_KEY, own.size === 0 ? '' : encodeOutcomes(own));
    peers.data(unit).set(CLAIMS_KEY, claims.size === 0 ? '' : encodeClaims(claims));
    if (!this.#keepsLedger) {
      return;
    }
    const relations = new Map(plan.mine.map((one) => [one.job.jobId, one.relationId]));
    const next = advanceLedger(ledger, {
      claimed: report.claimed.flatMap((jobId) => {
        const relation = relations.get(jobId);
        return relation === undefined ? [] : [{ jobId, relation }];
      }),
      assigned: plan.assigned,
      refused: plan.refused,
      primary,
      outcomes: new Map([[unit.name, own]]),
      claims: new Map([[unit.name, claims]]),
      requested: plan.requested,
      unit: unit.name,
      now: this.#clock.now(),
    });
    peers.data(app).set(LEDGER_KEY, next.size === 0 ? '' : encodeLedger(next));
    if (primary !== undefined) {
      peers.data(app).set(PRIMARY_KEY, encodePrimary(primary));
    }
  }

  /** Others may have to speak for this unit one day. What was told once stays, also when the journal was lost. */
  #outcomes({ plan, report }: Pass): ReadonlyMap<string, Outcome> {
    const found = [...outcomesOf(report.jobs, plan.requested), ...this.#readCommitted().outcomes];
    return new Map(found.filter(([jobId]) => plan.requested.has(jobId)));
  }

  /** Kept while the job is asked for, so that a unit that lost its journal does not take it up again. */
  #claims({ plan, report }: Pass): ReadonlySet<string> {
    const mine = new Set(plan.mine.map(({ job }) => job.jobId));
    const records = report.jobs.map(({ jobId }) => jobId);
    const said = [...this.#readCommitted().claims, ...records];
    return new Set(said.filter((jobId) => mine.has(jobId)));
  }

  /** Whether this unit writes the ledger. */
  get #keepsLedger(): boolean {
    this.#isKeeper ??= this.#charm.unit.isLeader() && this.isLedgerSound && !this.#isGoing();
    return this.#isKeeper;
  }

  /**
   * Juju takes a unit that goes out of its relations while it still leads: the jobs of others would look as if nobody
   * asked for them any more. Asked only where a relation is missed.
   */
  #isGoing(): boolean {
    const { app, unit } = this.#charm;
    const living = new Set(this.#requests().map(({ relation }) => relation.id));
    const open = [...(this.#readLedger()?.values() ?? [])].filter(isTold);
    return open.some((entry) => !living.has(entry.relation)) && !app.livingUnits().has(unit.name);
  }

  #hearPeers({ departedUnit }: DeskOptions): PeerNews {
    const peers = this.#peers();
    if (peers === undefined || !this.#keepsLedger) {
      return NO_NEWS;
    }
    const { ledger = new Map(), primary } = this.#readCommitted();
    return hearPeers(this.#charm, { peers, ledger, primary, departedUnit });
  }

  #tellRequirers(
    ledger: Ledger,
    plan: RequestPlan,
    report: RunnerReport,
    kept: ReadonlySet<string>,
  ): void {
    const records = new Map(report.jobs.map((record) => [record.jobId, record]));
    for (const { relation, isReadable } of this.#requests()) {
      if (!isReadable) {
        continue;
      }
      const mine = plan.mine
        .filter((one) => one.relationId === relation.id)
        .flatMap(({ job }): JobStatus[] => {
          const outcome = this.#toldOutcome(job.jobId, ledger);
          const record = records.get(job.jobId);
          if (record !== undefined && agrees(record, outcome)) {
            return [statusOfRecord(job, record, kept)];
          }
          return outcome === undefined ? [] : [statusOfOutcome(job, outcome)];
        });
      this.#provider.publish(relation, [...mine, ...(plan.answers.get(relation.id) ?? [])]);
    }
  }

  #toldOutcome(jobId: string, ledger: Ledger): Outcome | undefined {
    return ledger.get(jobId)?.outcome ?? this.#readCommitted().outcomes.get(jobId);
  }

  /** Parsed once a dispatch: nobody but the requirers writes them. */
  #requests(): readonly RelationRequests[] {
    this.#asked ??= this.#provider.requests();
    return this.#asked;
  }

  #peers(): Relation | undefined {
    return this.#charm.model.getRelation(PEERS);
  }

  #readLedger(): Ledger | undefined {
    return this.#readCommitted().ledger;
  }

  #readCommitted(): Committed {
    const peers = this.#peers();
    const { app, unit } = this.#charm;
    this.#committed ??= {
      ledger: parseLedger(peers?.data(app).get(LEDGER_KEY)),
      primary: parsePrimary(peers?.data(app).get(PRIMARY_KEY)),
      claims: parseClaims(peers?.data(unit).get(CLAIMS_KEY)),
      outcomes: parseOutcomes(peers?.data(unit).get(OUTCOMES_KEY)),
    };
    return this.#committed;
  }
}

/** Whether the record is of the end that was told; a journal that was lost says `lost` of jobs that were not. */
function agrees(record: JobRecord, told: Outcome | undefined): boolean {
  return (
    told === undefined || (told.status === record.state && told.errorCode === record.errorCode)
  );
}

/** Ended jobs somebody still asks for. */
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
