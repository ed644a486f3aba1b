/**
 * Remembers which process runs for a unit, so that a new daemon can end what an old one, killed in
 * the middle of a hook, left running.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identifyProcess, type ProcessIdentity } from '#system';
import { signalGroup } from '../client/sweep-processes.ts';
import type { UnitDirectory } from './unit-directory.ts';

// A note has about 200 bytes.
const NOTE_BYTES = 512;

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
    writeNote(directory, JSON.stringify(note));
  }
}

export function forgetProcess(directory: UnitDirectory): void {
  if (existsSync(notePath(directory))) {
    writeNote(directory, '');
  }
}

/** In place and of one length: making, cutting and removing files are slow where commits force the disk. */
function writeNote(directory: UnitDirectory, text: string): void {
  const path = notePath(directory);
  writeFileSync(path, text.padEnd(NOTE_BYTES), {
    mode: 0o600,
    flag: existsSync(path) ? 'r+' : 'w',
  });
}

/** Sends a signal to the noted process with its group; answers whether one runs. */
export function signalNotedProcess(directory: UnitDirectory, signal: NodeJS.Signals): boolean {
  const note = readNote(directory);
  return note !== undefined && signalGroup(note.process, signal);
}

/** Kills the noted process with its group, if one runs. */
export function killNotedProcess(directory: UnitDirectory): void {
  signalNotedProcess(directory, 'SIGKILL');
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
