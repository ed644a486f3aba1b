/** Takes a `jobs` value of a databag apart: every item is either fit for use or an issue. Never throws. */
import type { JobIssue, JsonObject } from './job.ts';
import { type ItemKind, itemIssues } from './schema.ts';

export interface ReadItems {
  /** Items the schema accepts, each under an id of its own, in order. */
  readonly items: readonly JsonObject[];
  readonly issues: readonly JobIssue[];
  /** False where the text is no list at all: then nothing is known of what it meant. */
  readonly isReadable: boolean;
}

// Ids end up in ledgers, logs and tables; nobody's honest id is longer.
const MAX_JOB_ID_LENGTH = 1024;
// Nothing in the interface nests deeper than four; encoding recurses, so there must be an end.
const MAX_DEPTH = 64;

/**
 * Reads JSON text. Absent or empty text is an empty list.
 * @param extraCheck what an item must also fulfil beyond the schema: a reason when it does not
 */
export function readItems(
  text: string | undefined,
  kind: ItemKind,
  extraCheck: (item: JsonObject, path: string) => string | undefined = () => undefined,
): ReadItems {
  if (text === undefined || text === '') {
    return { items: [], issues: [], isReadable: true };
  }
  const list = decode(text);
  if (!Array.isArray(list)) {
    return {
      items: [],
      issues: [{ message: list === undefined ? 'jobs: is not JSON' : 'jobs: must be a list' }],
      isReadable: false,
    };
  }
  return sortOut(list, kind, extraCheck);
}

function sortOut(
  list: readonly unknown[],
  kind: ItemKind,
  extraCheck: (item: JsonObject, path: string) => string | undefined,
): ReadItems {
  const items = new Map<string, JsonObject>();
  const rejected: JobIssue[] = [];
  for (const [index, raw] of list.entries()) {
    const path = `jobs/${index}`;
    const reasons = reasonsAgainst(raw, kind, path);
    if (reasons.length > 0) {
      rejected.push({ raw, message: reasons.join('; ') });
      continue;
    }
    const item = raw as JsonObject & { readonly 'job-id': string };
    const reason = items.has(item['job-id'])
      ? `${path}/job-id: is the job-id of an earlier item`
      : extraCheck(item, path);
    if (reason === undefined) {
      items.set(item['job-id'], item);
    } else {
      rejected.push({ raw, message: reason });
    }
  }
  return { items: [...items.values()], issues: withJobIds(rejected, items), isReadable: true };
}

function reasonsAgainst(raw: unknown, kind: ItemKind, path: string): readonly string[] {
  if (isDeeperThan(raw, MAX_DEPTH)) {
    return [`${path}: is nested deeper than ${MAX_DEPTH} levels`];
  }
  const reasons = itemIssues(kind, raw, path);
  if (reasons.length === 0 && usableJobId(raw) === undefined) {
    return [`${path}/job-id: is longer than ${MAX_JOB_ID_LENGTH} characters`];
  }
  return reasons;
}

/** An id appears once: on the valid job, or else on the first issue that has it. */
function withJobIds(
  issues: readonly JobIssue[],
  valid: ReadonlyMap<string, unknown>,
): readonly JobIssue[] {
  const taken = new Set(valid.keys());
  return issues.map((issue) => {
    const jobId = usableJobId(issue.raw);
    if (jobId === undefined || taken.has(jobId)) {
      return issue;
    }
    taken.add(jobId);
    return { ...issue, jobId };
  });
}

function usableJobId(raw: unknown): string | undefined {
  if (typeof raw !== 'object' || raw === null || !Object.hasOwn(raw, 'job-id')) {
    return undefined;
  }
  const jobId = (raw as Readonly<Record<string, unknown>>)['job-id'];
  return typeof jobId === 'string' && jobId.length <= MAX_JOB_ID_LENGTH ? jobId : undefined;
}

// The parser's own message quotes the text, and the text may hold keys: it is dropped.
function decode(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isDeeperThan(value: unknown, limit: number): boolean {
  let level: readonly unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limit) {
      return true;
    }
    level = level.flatMap((one) =>
      typeof one === 'object' && one !== null ? Object.values(one) : [],
    );
  }
  return false;
}
