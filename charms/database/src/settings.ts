/** The administrator's settings: configuration options → values or what is wrong with them. Pure. */
import {
  BACKUP_PRIORITIES,
  type BackupPriority,
  isBackupPriority,
  parseRate,
  type Rates,
} from '#backup-runner';
import type { JobDeadline } from '#database-backup';
import { ENGINE_NAMES, isEngineName } from '#engines';
import { HintError } from '#system';

export interface RawSettings {
  readonly engine: string;
  readonly maxConcurrentBackups: number;
  // Each in seconds; 0 sets no limit.
  readonly 'job-start-deadline': number;
  readonly 'job-run-deadline': number;
  readonly 'job-stall-deadline': number;
  readonly 'restore-keep-hours': number;
  readonly 'network-limit': string;
  readonly 'disk-limit': string;
  readonly 'backup-priority': string;
}

export interface Settings {
  /** Limits for jobs that set none themselves. */
  readonly deadlines: JobDeadline;
  readonly maxConcurrentBackups: number;
  /** For how long the data a restore replaced are kept. */
  readonly restoreKeepHours: number;
  /** How fast jobs may go. */
  readonly rates: Rates;
  readonly backupPriority: BackupPriority;
  /** What the administrator must mend, as a status message; the first one counts. */
  readonly issues: readonly string[];
  /** Whether there is an engine to work with. */
  readonly hasEngine: boolean;
}

// Each takes two of the server's 20 WAL senders.
const MAX_BACKUPS = 8;

const DEFAULT_KEEP_HOURS = 24;
/** A year. */
const MAX_KEEP_HOURS = 8760;

const LIMITS = [
  ['job-start-deadline', 'startSeconds'],
  ['job-run-deadline', 'runSeconds'],
  ['job-stall-deadline', 'stallSeconds'],
] as const;

/** Never throws: what cannot be used is named and replaced by something harmless. */
export function parseSettings(raw: RawSettings): Settings {
  const hasEngine = isEngineName(raw.engine);
  const { maxConcurrentBackups: backups } = raw;
  const isUsable = Number.isInteger(backups) && backups >= 1 && backups <= MAX_BACKUPS;
  const keepHours = raw['restore-keep-hours'];
  const isKeepUsable = keepHours >= 0 && keepHours <= MAX_KEEP_HOURS;
  const { rates, issues: rateIssues } = parseRates(raw);
  const priority = parsePriority(raw['backup-priority']);
  const limits = LIMITS.map(([option, name]) => ({ option, name, seconds: raw[option] }));
  return {
    hasEngine,
    maxConcurrentBackups: isUsable ? backups : 1,
    // What cannot be read must not drop data.
    restoreKeepHours: isKeepUsable ? keepHours : DEFAULT_KEEP_HOURS,
    rates,
    backupPriority: priority.value,
    deadlines: Object.fromEntries(
      limits.filter(({ seconds }) => seconds > 0).map(({ name, seconds }) => [name, seconds]),
    ),
    issues: [
      ...(hasEngine
        ? []
        : [`engine=${JSON.stringify(raw.engine)} is unknown: use ${ENGINE_NAMES.join(' or ')}`]),
      ...(isUsable
        ? []
        : [`max-concurrent-backups=${backups} is not usable: use 1 to ${MAX_BACKUPS}`]),
      ...(isKeepUsable
        ? []
        : [`restore-keep-hours=${keepHours} is not usable: use 0 to ${MAX_KEEP_HOURS}`]),
      ...rateIssues,
      ...priority.issues,
      ...limits
        .filter(({ seconds }) => !(seconds >= 0))
        .map(({ option, seconds }) => `${option}=${seconds} is not usable: use seconds, or 0`),
    ],
  };
}

const RATES = [
  ['network-limit', 'network'],
  ['disk-limit', 'disk'],
] as const;

/** What cannot be read limits nothing: a job that crawls by mistake would be worse, and the status tells. */
function parseRates(raw: RawSettings): {
  readonly rates: Rates;
  readonly issues: readonly string[];
} {
  const issues: string[] = [];
  const rates = RATES.flatMap(([option, name]) => {
    try {
      const rate = parseRate(raw[option]);
      return rate === undefined ? [] : [[name, rate] as const];
    } catch (error) {
      if (!(error instanceof HintError)) {
        throw error;
      }
      issues.push(`${option}=${JSON.stringify(raw[option])} is not usable: ${error.hint ?? ''}`);
      return [];
    }
  });
  return { rates: Object.fromEntries(rates), issues };
}

function parsePriority(text: string): {
  readonly value: BackupPriority;
  readonly issues: readonly string[];
} {
  if (isBackupPriority(text)) {
    return { value: text, issues: [] };
  }
  const form = `use ${BACKUP_PRIORITIES.join(', ')}`;
  return {
    value: 'low',
    issues: [`backup-priority=${JSON.stringify(text)} is not usable: ${form}`],
  };
}
