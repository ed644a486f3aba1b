/** Chance at work on an application of several units, and what must hold whatever it does. */
import type { Job, JobStatus } from '#database-backup';
import { parseLedger } from '../../../../charms/database/src/ledger.ts';
import { parsePrimary } from '../../../../charms/database/src/primary.ts';
import { Application, type Unit } from './application.ts';
import type { Machine, Process } from './machine.ts';
import { type Surroundings, work } from './worker-model.ts';

const START = Date.UTC(2026, 10, 22);

export class World {
  now = START;
  isStorageUp = true;
  readonly app = new Application(() => this.now);
  readonly manifests = new Set<string>();
  /** Units some process or Juju has an event for. */
  readonly wakes = new Set<string>();
  /** Job id → the unit whose process went through a gate. */
  readonly ranOn = new Map<string, string>();
  readonly #chance: () => number;
  #secret = 0;
  #ids = 0;
  #relations = 0;
  readonly #old: Job[] = [];
  /** Unit and job → the end it told. */
  readonly #told = new Map<string, string>();

  constructor(chance: () => number) {
    this.#chance = chance;
    this.addUnit();
    this.addUnit();
    this.relate();
  }

  below(count: number): number {
    return Math.floor(this.#chance() * count);
  }

  pick<T>(items: Iterable<T>): T | undefined {
    const all = [...items];
    return all[this.below(all.length)];
  }

  get units(): readonly Unit[] {
    return [...this.app.units.values()];
  }

  addUnit(): void {
    const unit = this.app.addUnit();
    unit.machine.onStart = (jobId) => mustNotOvertake(unit.machine, jobId);
    for (const { name } of this.units) {
      this.wakes.add(name);
    }
  }

  relate(): void {
    this.#relations += 1;
    this.app.requests.set(this.#relations, []);
    this.#wakeAll();
  }

  breakRelation(): void {
    const id = this.pick(this.app.requests.keys());
    if (id !== undefined) {
      this.#old.push(...(this.app.requests.get(id) ?? []));
      this.app.breakRelation(id);
      this.#wakeAll();
    }
  }

  request(jobType: Job['jobType'], relation = this.pick(this.app.requests.keys())): string {
    this.#ids += 1;
    const jobId = `job-${this.#ids}`;
    this.#ask(relation, {
      jobId,
      jobType,
      compression: true,
      storageConfig: this.#storage(),
      requestedAt: new Date(this.now).toISOString(),
      ...(jobType === 'restore' ? { artefactPath: 'p/' } : {}),
      ...(this.#chance() < 0.1 ? { deadline: { startSeconds: 20, runSeconds: 40 } } : {}),
    });
    return jobId;
  }

  /** A manager asks for what was asked for before, here or in a relation that is gone. */
  requestAgain(): void {
    const job = this.pick(this.#old);
    if (job !== undefined) {
      this.#ask(this.pick(this.app.requests.keys()), job);
    }
  }

  cancel(jobId?: string): void {
    for (const [relation, jobs] of this.app.requests) {
      const chosen = jobId ?? this.pick(jobs)?.jobId;
      this.app.requests.set(
        relation,
        jobs.map((job) => (job.jobId === chosen ? { ...job, isCancelled: true } : job)),
      );
    }
    this.#wakeAll();
  }

  /** Withdraws what has ended, as managers do; or anything at all. */
  withdraw(isOnlyEnded: boolean): void {
    for (const [relation, jobs] of this.app.requests) {
      const kept = jobs.filter(
        ({ jobId }) =>
          (isOnlyEnded ? !this.#hasEnded(relation, jobId) : this.#chance() < 0.8) ||
          this.#old.push(...jobs.filter((job) => job.jobId === jobId)) === 0,
      );
      this.app.requests.set(relation, kept);
    }
    this.#wakeAll();
  }

  rotateSecret(): void {
    this.#secret += 1;
    for (const [relation, jobs] of this.app.requests) {
      const storageConfig = this.#storage();
      this.app.requests.set(
        relation,
        jobs.map((job) => ({ ...job, storageConfig })),
      );
    }
    this.#wakeAll();
  }

  async hook(
    unit: Unit | undefined,
    how: { succeeds?: boolean; isSettled?: boolean; budget?: number } = {},
  ): Promise<void> {
    if (unit === undefined) {
      return;
    }
    const { succeeds = true, isSettled = false } = how;
    const hasSpoken = await this.app.hook(unit, { ...how, succeeds, isSettled });
    if (succeeds && how.budget === undefined) {
      this.wakes.delete(unit.name);
    }
    for (const other of hasSpoken ? unit.seen : []) {
      this.wakes.add(other);
    }
    this.#checkWords(unit);
    this.#checkLedger();
    this.#checkPrimary();
    this.#forgetUnasked();
    mustBeCompatible(unit.machine);
  }

  /** An event that somebody has fired. */
  async wake(): Promise<void> {
    const name = this.pick(this.wakes);
    await this.hook(name === undefined ? undefined : this.app.units.get(name));
  }

  work(unit: Unit | undefined): void {
    const process = unit === undefined ? undefined : this.pick(unit.machine.processes.values());
    if (unit !== undefined && process !== undefined) {
      this.#step(unit, process);
      mustBeCompatible(unit.machine);
    }
  }

  /** Dies without a word; the shell that watches it fires the event. */
  kill(unit: Unit | undefined): string | undefined {
    const process = unit === undefined ? undefined : this.pick(unit.machine.processes.values());
    if (unit !== undefined && process !== undefined) {
      unit.machine.die(process);
      this.wakes.add(unit.name);
    }
    return process?.jobId;
  }

  hang(unit: Unit | undefined): void {
    const process = unit === undefined ? undefined : this.pick(unit.machine.processes.values());
    if (process?.kind === 'worker') {
      process.isHanging = true;
    }
  }

  /** A second in which nothing is in the way: events are handled, workers work. */
  async second(isSettled = false): Promise<void> {
    this.now += 1000;
    for (const unit of this.units) {
      if (unit.machine.reap().length > 0) {
        this.wakes.add(unit.name);
      }
      for (const process of unit.machine.processes.values()) {
        this.#step(unit, process);
      }
      if (isSettled || this.wakes.has(unit.name)) {
        await this.hook(unit, { isSettled });
      }
    }
  }

  /** What nobody asks for any more has no end to be kept. */
  #forgetUnasked(): void {
    const asked = new Set([...this.app.requests.values()].flat().map(({ jobId }) => jobId));
    for (const key of this.#told.keys()) {
      if (!asked.has(key.slice(key.indexOf(' ') + 1))) {
        this.#told.delete(key);
      }
    }
  }

  #step(unit: Unit, process: Process): void {
    const around: Surroundings = {
      now: this.now,
      isStorageUp: this.isStorageUp,
      secretKey: String(this.#secret),
      chance: this.#chance,
      manifests: this.manifests,
      onRun: ({ jobId }) => this.#checkRun(unit, jobId),
    };
    if (work(unit.machine, process, around)) {
      this.wakes.add(unit.name);
    }
  }

  #checkRun(unit: Unit, jobId: string): void {
    if (this.ranOn.has(jobId)) {
      throw new Error(`${jobId} ran on ${this.ranOn.get(jobId)} and again on ${unit.name}`);
    }
    this.ranOn.set(jobId, unit.name);
    const claims = unit.peerData.get('claims') ?? '';
    if (this.#ledgerUnit(jobId) !== unit.name || !claims.includes(JSON.stringify(jobId))) {
      throw new Error(`${jobId} runs on ${unit.name}, and no committed claim says so`);
    }
  }

  #checkWords(unit: Unit): void {
    for (const status of [...unit.published.values()].flat()) {
      if (status.status === 'success' && !this.manifests.has(status.jobId)) {
        throw new Error(`${unit.name} tells the success of ${status.jobId}, which has no manifest`);
      }
      this.#checkWord(unit, status);
    }
  }

  #checkWord(unit: Unit, { jobId, status, errorCode = '' }: JobStatus): void {
    const isMine = this.#ledgerUnit(jobId) === unit.name && errorCode !== 'duplicate-job-id';
    if (status === 'running' || !isMine) {
      return;
    }
    const key = `${unit.name} ${jobId}`;
    const said = `${status} ${errorCode}`;
    if ((this.#told.get(key) ?? said) !== said) {
      throw new Error(`${key} was told as ${this.#told.get(key)}, now as ${said}`);
    }
    this.#told.set(key, said);
  }

  #checkLedger(): void {
    for (const [jobId, unit] of this.ranOn) {
      if (this.#ledgerUnit(jobId) !== unit) {
        throw new Error(`the ledger forgot that ${unit} ran ${jobId}`);
      }
    }
  }

  /** It stays as long as its unit does, whoever leads. */
  #checkPrimary(): void {
    const now = parsePrimary(this.app.appData.get('primary'))?.unit ?? '';
    if (now !== this.#primary && this.app.units.has(this.#primary)) {
      throw new Error(`${now} took the place of ${this.#primary}, which lives`);
    }
    this.#primary = now;
  }

  #primary = '';
  #ledgerText = '';
  #ledgerUnits: ReadonlyMap<string, string> = new Map();

  #ledgerUnit(jobId: string): string | undefined {
    const text = this.app.appData.get('ledger') ?? '[]';
    if (text !== this.#ledgerText) {
      const entries = [...(parseLedger(text === '' ? '[]' : text) ?? [])];
      this.#ledgerUnits = new Map(entries.map(([id, { unit }]) => [id, unit]));
      this.#ledgerText = text;
    }
    return this.#ledgerUnits.get(jobId);
  }

  #hasEnded(relation: number, jobId: string): boolean {
    return this.app.statusesOf(relation, jobId).some(({ status }) => status !== 'running');
  }

  #ask(relation: number | undefined, job: Job): void {
    const jobs = relation === undefined ? undefined : this.app.requests.get(relation);
    if (relation !== undefined && jobs?.every(({ jobId }) => jobId !== job.jobId)) {
      this.app.requests.set(relation, [...jobs, job]);
      this.#wakeAll();
    }
  }

  #storage(): Job['storageConfig'] {
    return { bucket: 'b', 'access-key': 'a', 'secret-key': String(this.#secret) };
  }

  #wakeAll(): void {
    for (const { name } of this.units) {
      this.wakes.add(name);
    }
  }
}

function mustBeCompatible(machine: Machine): void {
  const active = machine.active();
  const restores = active.filter(({ claim }) => claim.jobType === 'restore').length;
  if (restores > 1 || (restores === 1 && active.length > 1) || active.length > machine.max) {
    throw new Error(`run together: ${active.map(({ claim }) => claim.jobId).join(', ')}`);
  }
  for (const [jobId, runs] of machine.runs) {
    if (runs > 1) {
      throw new Error(`${jobId} ran ${runs} times`);
    }
  }
}

function mustNotOvertake(machine: Machine, jobId: string): void {
  const starting = machine.jobs.get(jobId);
  const overtaken = [...machine.jobs.values()].filter(
    ({ claim, gate, workers }) =>
      starting !== undefined &&
      claim.sequence < starting.claim.sequence &&
      gate === undefined &&
      workers.every(({ identity }) => !machine.processes.has(identity?.pid ?? 0)) &&
      (claim.jobType === 'restore' || starting.claim.jobType === 'restore'),
  );
  if (overtaken.length > 0) {
    throw new Error(`${jobId} overtook ${overtaken.map(({ claim }) => claim.jobId).join(', ')}`);
  }
}
