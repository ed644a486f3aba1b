/** Spans of time that the life of snapshots goes by. */

export const DAY_MS = 86_400_000;

/**
 * What is younger no sweep removes. Longer than any backup takes, and than the day for which a backup relies on what an
 * interrupted one left, together. FORMAT.md#marks
 */
export const SWEEP_GRACE_MS = 3 * DAY_MS;
