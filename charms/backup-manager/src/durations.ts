/** Lengths of time as people write them: `45s`, `30m`, `12h`, `30d`, `4w`, also joined as in `1d12h`. Pure. */
import { HintError } from '#system';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const FORM = 'a whole number above 0 and s, m, h, d or w, for example 30d or 12h';
// Ten years; more is a slip.
const MAX_SECONDS = 315_360_000;

/**
 * Seconds, above 0.
 * @param name of the parameter, for the message
 * @throws HintError `invalid-parameter` naming the parameter and the allowed form
 */
export function parseDuration(name: string, text: string): number {
  const compact = text.replaceAll(/\s+/g, '').toLowerCase();
  const parts = [...compact.matchAll(/(\d{1,12})([smhdw])/g)];
  const isWhole = parts.map(([part]) => part).join('') === compact;
  const seconds = parts.reduce((sum, [, count, unit]) => {
    return sum + Number(count) * (UNITS[unit ?? ''] ?? 0);
  }, 0);
  if (!isWhole || seconds <= 0 || seconds > MAX_SECONDS) {
    throw new HintError(`${name} must be ${FORM}, at most 10 years`, {
      code: 'invalid-parameter',
      hint: `repeat with ${name}=12h`,
    });
  }
  return seconds;
}

/** How long ago, coarsely, so that it does not change all the time: `under 1 h`, `3 h`, `12 d`. */
export function coarseAge(ms: number): string {
  const hours = Math.floor(Math.max(0, ms) / 3_600_000);
  if (hours < 1) {
    return 'under 1 h';
  }
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** How long ago, for people who have just asked: `32 s`, `12 min`, `3 h`, `12 d`. */
export function exactAge(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  if (seconds < 60) {
    return `${seconds} s`;
  }
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : coarseAge(ms);
}
