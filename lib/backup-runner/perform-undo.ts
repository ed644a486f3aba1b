/** One undo: the data an earlier restore replaced come back from the machine itself; no store is asked. */
import type { KeptCopy, Proof, StagedUndo } from '#engines';
import { formatBytes, formatDuration } from '#system';
import type { JobContext } from './job-context.ts';
import type { Outcome } from './job-files.ts';
import {
  describeReplaced,
  orNeedRecovery,
  proveStaged,
  replaceLive,
  undoableUntil,
} from './replace-data.ts';

/** @throws what performRestore throws */
export async function performUndo(context: JobContext): Promise<Outcome> {
  const { engine, spec, signal, log } = context;
  const request = {
    undoOf: spec.undoOf ?? '',
    name: spec.jobId,
    keepHours: spec.keepHours ?? 0,
    isForced: spec.isForced === true,
  };
  const copy = await engine.prepareUndo(request);
  signal.throwIfAborted();
  const staged = await engine.createUndo(request);
  const proof = await prove(staged, context);
  const base = {
    status: 'success',
    artefactPath: spec.artefactPath ?? '',
    size: copy.bytes,
  } as const;
  if (spec.isDryRun === true) {
    await orNeedRecovery(async () => await staged.abort());
    const message = `dry run: the data from before ${copy.name} could come back; the live data were not touched`;
    return { ...base, message, report: describeUndo(copy, proof) };
  }
  const replaced = await replaceLive(staged, context);
  log.info('undo complete', { undoOf: copy.name });
  const message = `the data from before ${copy.name} serve again (${formatBytes(copy.bytes)}), ${describeReplaced(replaced)}`;
  return { ...base, message, ...undoableUntil(replaced.kept) };
}

async function prove(staged: StagedUndo, context: JobContext): Promise<Proof> {
  try {
    await context.reporter.enter('verifying');
    return await proveStaged(staged, context);
  } catch (error) {
    await orNeedRecovery(async () => await staged.abort());
    throw error;
  }
}

function describeUndo(copy: KeptCopy, proof: Proof): string {
  return [
    `would bring back: the data from before ${copy.name}, ${formatBytes(copy.bytes)}, kept since ${copy.keptAt}`,
    'space: none needed',
    `proved: ${proof.findings.join('; ')}`,
    `unavailable: for about ${formatDuration(proof.expectedUnavailableMs)} at most`,
  ].join('\n');
}
