/** The action that tries what the S3 server can do, and takes over what works. */
import { firstFailure, type ProbeFinding, type StorageReport } from '#object-store';
import type { ActionEvent } from '#ops';
import { HintError } from '#system';
import type { BackupManagerTypes } from '../charm-types.ts';
import type { Manager } from '../manager.ts';
import { textTable } from '../table.ts';
import { assertLeader, wantsJson } from './action-checks.ts';

/** Names the missing permission or feature; fails where backups would. */
export async function checkStorage(
  event: ActionEvent<BackupManagerTypes['actions']['check-storage']>,
  manager: Manager,
): Promise<void> {
  assertLeader(manager, event);
  const json = wantsJson(event);
  const { config, fault } = manager.givenSettings();
  if (config === undefined) {
    throw new HintError(fault.message, { code: fault.code, hint: fault.hint });
  }
  const report = await manager.health.probe(config);
  const { findings, profile, clockSkewMs, elapsedMs } = report;
  event.setResults({
    findings: json ? JSON.stringify(findings) : findingsTable(findings),
    usable: report.usable,
    bucket: config.bucket,
    endpoint: config.endpoint ?? 'AWS',
    region: profile.region,
    's3-uri-style': profile.uriStyle,
    'conditional-writes': profile.conditionalWrites,
    'batch-delete': profile.batchDelete,
    multipart: profile.multipart,
    'checks-payload': profile.checksPayload,
    ...(clockSkewMs === undefined ? {} : { 'clock-skew-ms': clockSkewMs }),
    'elapsed-ms': elapsedMs,
  });
  // What is remembered of the storage is brought up to date.
  await manager.health.check();
  if (!report.usable) {
    event.fail(failureText(report));
  }
}

function findingsTable(findings: readonly ProbeFinding[]): string {
  return textTable(
    ['CHECK', 'OUTCOME', 'PERMISSION', 'DETAIL'],
    findings.map(({ name, outcome, permission, detail, hint }) => [
      name,
      outcome,
      permission ?? '-',
      [detail, outcome === 'ok' ? undefined : hint].filter(Boolean).join('; ') || '-',
    ]),
  );
}

function failureText(report: StorageReport): string {
  const failure = firstFailure(report);
  if (failure === undefined) {
    return 'the storage cannot be used; see the findings';
  }
  const { name, detail = 'it failed', permission, code, hint } = failure;
  const needs =
    permission !== undefined && code === 'access-denied'
      ? `; missing permission ${permission}`
      : '';
  return `backups cannot be stored: ${name}: ${detail}${needs}${hint === undefined ? '' : `; ${hint}`}`;
}
