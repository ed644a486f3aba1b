/** The administrator's settings: configuration options → values or what is wrong with them. Pure. */
import { ENGINE_NAMES, isEngineName } from '#engines';

export interface RawSettings {
  readonly engine: string;
  readonly maxConcurrentBackups: number;
}

export interface Settings {
  readonly maxConcurrentBackups: number;
  /** What the administrator must mend, as a status message; the first one counts. */
  readonly issues: readonly string[];
  /** Whether there is an engine to work with. */
  readonly hasEngine: boolean;
}

// Each takes two of the server's 20 WAL senders.
const MAX_BACKUPS = 8;

/** Never throws: what cannot be used is named and replaced by something harmless. */
export function parseSettings(raw: RawSettings): Settings {
  const hasEngine = isEngineName(raw.engine);
  const { maxConcurrentBackups: backups } = raw;
  const isUsable = Number.isInteger(backups) && backups >= 1 && backups <= MAX_BACKUPS;
  return {
    hasEngine,
    maxConcurrentBackups: isUsable ? backups : 1,
    issues: [
      ...(hasEngine
        ? []
        : [`engine=${JSON.stringify(raw.engine)} is unknown: use ${ENGINE_NAMES.join(' or ')}`]),
      ...(isUsable
        ? []
        : [`max-concurrent-backups=${backups} is not usable: use 1 to ${MAX_BACKUPS}`]),
    ],
  };
}
