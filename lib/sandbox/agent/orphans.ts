/**
 * Remembers which process runs for a unit, so that a new daemon can end what an old one, killed in
 * the middle of a hook, left running.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, type ProcessIdentity } from '#system';
import { killGroup } from '../client/sweep-processes.ts';
import type { UnitDirectory } from './unit-directory.ts';

interface Note {
  readonly contextId: string;
  readonly process: ProcessIdentity;
}

/**
 * Notes the process. Not forced to the disk: it must outlive the daemon, not the machine, whose end
 * is the process's too.
 */
export function noteProcess(directory: UnitDirectory, contextId: string, pid: number): void {
  const identity = identifyProcess(pid);
  if (identity !== undefined) {
    const note: Note = { contextId, process: identity };
    writeFileSync(notePath(directory), JSON.stringify(note), { mode: 0o600 });
  }
}

export function forgetProcess(directory: UnitDirectory): void {
  rmSync(notePath(directory), { force: true });
}

/** Kills the noted process with its group, if one runs. */
export function killNotedProcess(directory: UnitDirectory): void {
  const note = readNote(directory);
  if (note !== undefined) {
    killGroup(note.process);
  }
}

/**
 * Ends what a dead daemon left running. Children that made a session of their own live on: they were
 * meant to.
 */
export function killOrphan(directory: UnitDirectory): void {
  killNotedProcess(directory);
  forgetProcess(directory);
}

function readNote(directory: UnitDirectory): Note | undefined {
  try {
    return JSON.parse(readFileSync(notePath(directory), 'utf8')) as Note;
  } catch {
    // None, or one torn by the crash right after the start of the process.
    return undefined;
  }
}

function notePath(directory: UnitDirectory): string {
  return join(directory.state, 'running.json');
}
