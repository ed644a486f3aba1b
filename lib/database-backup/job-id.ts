/** Names for new jobs. */
import { v7 } from 'uuid';

/** A name never used before that sorts by time: `job-` and a UUID of version 7. */
export function newJobId(): string {
  return `job-${v7()}`;
}
