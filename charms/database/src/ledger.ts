/**
 * The ledger of the application: which unit has which job, and how it ended. It lives in the
 * peer relation, is written by the leader only, and outlives units and relations to requirers: a
 * job id in it is never claimed again. Pure.
 */

/** How a job ended, as far as other units have to know. */
export interface Outcome {
  readonly status: 'success' | 'error';
  readonly message?: string;
  readonly errorCode?: string;
  readonly hint?: string;
  readonly artefactPath?: string;
  readonly keyId?: string;
}

export interface LedgerEntry {
  /** The unit it was assigned to; it and no other runs it. */
  readonly unit: string;
  /** Of the primary it was assigned to; missing where a version without assignments wrote it. */
  readonly epoch?: number;
  /** Whether the unit has claimed it. */
  readonly isTaken?: boolean;
  /** The relation that asked. */
  readonly relation: number;
  /** When it was assigned; ISO 8601, UTC. */
  readonly claimedAt: string;
  readonly outcome?: Outcome;
  /** No unit runs it (any more): the unit is gone, or it was refused. The leader speaks for it. */
  readonly isOrphan?: boolean;
}

/** Job id → entry, oldest first. */
export type Ledger = ReadonlyMap<string, LedgerEntry>;

// A databag travels through every hook: enough to recognise old ids, small enough to carry.
const MAX_WITHDRAWN = 500;
const MAX_MESSAGE = 300;

/** The ledger in the text; undefined when the text is damaged, and then nothing may be claimed. */
export function parseLedger(text: string | undefined): Ledger | undefined {
  if (text === undefined) {
    return new Map();
  }
  try {
    const raw = JSON.parse(text) as unknown;
    if (!Array.isArray(raw) || !raw.every(isPair)) {
      return undefined;
    }
    return new Map(raw);
  } catch {
    return undefined;
  }
}

/** Deterministic text. */
export function encodeLedger(ledger: Ledger): string {
  return JSON.stringify([...ledger]);
}

/** What units say of their own jobs, by name of the unit. */
export interface PeerWords {
  /** What they say about the end. */
  readonly outcomes: ReadonlyMap<string, ReadonlyMap<string, Outcome>>;
  /** What they say they have claimed. */
  readonly claims: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Which unit runs the jobs; recorded in the application data of the peer relation by the leader. */
export interface Primary {
  readonly unit: string;
  /** Goes up each time another unit is chosen: what was assigned before is not taken up any more. */
  readonly epoch: number;
}

export interface LedgerChange extends PeerWords {
  /** Jobs claimed by this unit: entries for those the ledger does not know. */
  readonly claimed: readonly { readonly jobId: string; readonly relation: number }[];
  /** Jobs the primary has to run, and which it has not claimed yet. */
  readonly assigned: readonly { readonly jobId: string; readonly relation: number }[];
  /** The primary; undefined where nothing is claimed or assigned. */
  readonly primary?: Primary | undefined;
  /** Jobs refused without running them: entered with their outcome. */
  readonly refused: readonly {
    readonly jobId: string;
    readonly relation: number;
    readonly outcome: Outcome;
  }[];
  /** Every job id some requirer asks for at the moment. */
  readonly requested: ReadonlySet<string>;
  readonly unit: string;
  readonly now: Date;
}

/**
 * The ledger with what other units have said, and without those that are gone: what they had not ended is lost. An outcome
 * once entered is never changed.
 */
export function takeIn(
  ledger: Ledger,
  { goneUnits, ...words }: PeerWords & { readonly goneUnits: readonly string[] },
): Ledger {
  return new Map(
    [...ledger].map(([jobId, entry]) => {
      const heard = hear(entry, jobId, words);
      return [jobId, goneUnits.includes(entry.unit) ? orphan(heard) : heard] as const;
    }),
  );
}

/** The next ledger. An outcome once entered is never changed, nor is the unit of a job. */
export function advanceLedger(ledger: Ledger, change: LedgerChange): Ledger {
  const next = new Map(ledger);
  const claimedAt = change.now.toISOString();
  const epoch = change.primary === undefined ? {} : { epoch: change.primary.epoch };
  const to = change.primary?.unit ?? change.unit;
  const entries = [
    ...change.claimed.map((one) => ({ ...one, ...epoch, unit: change.unit, isTaken: true })),
    ...change.assigned.map((one) => ({ ...one, ...epoch, unit: to })),
    ...change.refused.map((one) => ({ ...one, unit: change.unit, isOrphan: true })),
  ];
  for (const { jobId, unit, ...rest } of entries) {
    if (!next.has(jobId)) {
      next.set(jobId, { unit, claimedAt, ...rest });
    }
  }
  for (const [jobId, entry] of next) {
    next.set(jobId, hear(entry, jobId, change));
  }
  return prune(next, change.requested);
}

/** Shortened so that many of them fit into a databag. */
function briefOutcome(outcome: Outcome): Outcome {
  const { message } = outcome;
  return message === undefined || message.length <= MAX_MESSAGE
    ? outcome
    : { ...outcome, message: `${message.slice(0, MAX_MESSAGE)}…` };
}

/** Reads what a unit published about the ends of its jobs; damaged text says nothing. */
export function parseOutcomes(text: string | undefined): ReadonlyMap<string, Outcome> {
  try {
    const raw = JSON.parse(text ?? '[]') as unknown;
    const pairs = Array.isArray(raw) ? raw : [];
    return new Map(pairs.filter(isOutcomePair));
  } catch {
    return new Map();
  }
}

/** Reads which jobs a unit says it has claimed; damaged text says nothing. */
export function parseClaims(text: string | undefined): ReadonlySet<string> {
  try {
    const raw = JSON.parse(text ?? '[]') as unknown;
    return new Set(Array.isArray(raw) ? raw.filter((one) => typeof one === 'string') : []);
  } catch {
    return new Set();
  }
}

export function encodeClaims(jobIds: ReadonlySet<string>): string {
  return JSON.stringify([...jobIds]);
}

export function encodeOutcomes(outcomes: ReadonlyMap<string, Outcome>): string {
  return JSON.stringify([...outcomes].map(([jobId, outcome]) => [jobId, briefOutcome(outcome)]));
}

function hear(entry: LedgerEntry, jobId: string, { outcomes, claims }: PeerWords): LedgerEntry {
  const said = outcomes.get(entry.unit)?.get(jobId);
  const isTaken = claims.get(entry.unit)?.has(jobId) === true;
  return {
    ...entry,
    ...(isTaken ? { isTaken } : {}),
    ...(entry.outcome !== undefined || said === undefined ? {} : { outcome: briefOutcome(said) }),
  };
}

function orphan(entry: LedgerEntry): LedgerEntry {
  return {
    ...entry,
    isOrphan: true,
    outcome: entry.outcome ?? {
      status: 'error',
      errorCode: 'lost',
      message: `lost: unit ${entry.unit} was removed before the job had ended`,
    },
  };
}

/** Withdrawn jobs keep their id only, and the oldest of them go when there are too many. */
function prune(ledger: Ledger, requested: ReadonlySet<string>): Ledger {
  const withdrawn = [...ledger.keys()].filter((jobId) => !requested.has(jobId));
  const dropped = new Set(withdrawn.slice(0, Math.max(0, withdrawn.length - MAX_WITHDRAWN)));
  return new Map(
    [...ledger]
      .filter(([jobId]) => !dropped.has(jobId))
      .map(([jobId, entry]) => [jobId, requested.has(jobId) ? entry : bare(entry)]),
  );
}

/** Whether more is kept of it than of a withdrawn job that has ended. */
export function isTold({ outcome }: LedgerEntry): boolean {
  return outcome === undefined || Object.keys(outcome).some((key) => !BARE.includes(key));
}

const BARE: readonly string[] = ['status', 'errorCode'] satisfies readonly (keyof Outcome)[];

function bare({ outcome, isOrphan, ...kept }: LedgerEntry): LedgerEntry {
  return {
    ...kept,
    ...(outcome === undefined ? {} : { outcome: bareOutcome(outcome) }),
    ...(isOrphan === true ? { isOrphan } : {}),
  };
}

function bareOutcome({ status, errorCode }: Outcome): Outcome {
  return { status, ...(errorCode === undefined ? {} : { errorCode }) };
}

function isPair(value: unknown): value is [string, LedgerEntry] {
  return Array.isArray(value) && typeof value[0] === 'string' && isEntry(value[1]);
}

function isEntry(value: unknown): value is LedgerEntry {
  const entry = value as Partial<LedgerEntry> | null;
  return typeof entry?.unit === 'string' && typeof entry.relation === 'number';
}

function isOutcomePair(value: unknown): value is [string, Outcome] {
  return (
    Array.isArray(value) &&
    typeof value[0] === 'string' &&
    ['success', 'error'].includes((value[1] as Partial<Outcome> | null)?.status ?? '')
  );
}
