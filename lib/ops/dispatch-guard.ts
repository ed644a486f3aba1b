/**
 * One dispatch of a unit at a time. Juju sees to that; this catches whoever runs `dispatch` by hand
 * or from inside a hook, which would see and change what is half done.
 *
 * Who runs is told by the highest-numbered link in a folder of the unit's charm; its text names the
 * process. Nobody unlocks: a claim ends with its process, however that ends, and the next one takes
 * the next number. Numbers only grow, so of several who take one, or come late with a lower one, the
 * kernel's answer to symlink(2) or a second look tells all but one.
 */
import { mkdirSync, readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { HintError, hasErrorCode, identifyProcess, isProcessAlive } from '#system';

/** In the charm's directory; Juju keeps what it does not know there when it upgrades a charm. */
const FOLDER = '.dispatch';

// No claim can be made there: by hand without the right to, in a charm that is read-only, elsewhere.
const NOT_WRITABLE = ['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR'];

/**
 * Claims the unit for this process until it ends.
 * @returns whether it was claimed; false where the charm's directory cannot be written, or processes
 *   cannot be told apart
 * @throws HintError (`dispatch-running`) while another dispatch of the unit runs
 */
export function claimDispatch(who: Who): boolean {
  const folder = join(who.charmDir, FOLDER);
  try {
    // Numbers of processes mean nothing where /proc is that of another namespace.
    if (readlinkSync('/proc/self') !== String(process.pid)) {
      return false;
    }
    makeFolder(folder);
    claim(folder, who);
    return true;
  } catch (error) {
    if (NOT_WRITABLE.some((code) => hasErrorCode(error, code))) {
      return false;
    }
    throw error;
  }
}

interface Who {
  readonly charmDir: string;
  readonly unitName: string;
  /** What is dispatched: `hooks/start`. */
  readonly event: string;
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!hasErrorCode(error, 'EEXIST')) {
      throw error;
    }
  }
}

function claim(folder: string, who: Who): void {
  const before = numbersIn(folder);
  const latest = before.at(-1);
  if (latest !== undefined) {
    requireEnded(join(folder, String(latest)), who);
  }
  const mine = (latest ?? 0) + 1;
  try {
    symlinkSync(describeSelf(who.event), join(folder, String(mine)));
  } catch (error) {
    throw hasErrorCode(error, 'EEXIST') ? running(who, 'just started') : error;
  }
  // Whoever took a higher one did so because mine was not there yet, or is gone: it is first.
  if (numbersIn(folder).at(-1) !== mine) {
    removeLink(join(folder, String(mine)));
    throw running(who, 'just started');
  }
  for (const number of before) {
    removeLink(join(folder, String(number)));
  }
}

function numbersIn(folder: string): readonly number[] {
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .toSorted((a, b) => a - b);
}

function describeSelf(event: string): string {
  const self = identifyProcess(process.pid);
  return [process.pid, self?.startTicks ?? '0', self?.bootId ?? '-', event].join(' ');
}

function requireEnded(link: string, who: Who): void {
  const [pid = '', startTicks = '', bootId = '', ...event] = readLink(link).split(' ');
  const holder = { pid: Number(pid), startTicks, bootId };
  if (holder.pid > 0 && holder.pid !== process.pid && isProcessAlive(holder)) {
    throw running(who, `process ${pid} handles ${event.join(' ')}`);
  }
}

/** The text of a link; empty when it is gone, or none. */
function readLink(link: string): string {
  try {
    return readlinkSync(link);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT') || hasErrorCode(error, 'EINVAL')) {
      return '';
    }
    throw error;
  }
}

function removeLink(link: string): void {
  try {
    unlinkSync(link);
  } catch (error) {
    if (!hasErrorCode(error, 'ENOENT')) {
      throw error;
    }
  }
}

function running({ unitName, event, charmDir }: Who, why: string): HintError {
  return new HintError(
    `cannot dispatch ${event}: another dispatch of ${unitName} is running (${why})`,
    {
      code: 'dispatch-running',
      hint: `from a hook, call the method or emit an event of your own instead; by hand, let it queue: juju-exec -u ${unitName} "JUJU_DISPATCH_PATH=${event} ${charmDir}/dispatch"`,
    },
  );
}
