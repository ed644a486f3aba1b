/** Runs jest on some of the test folders and says plainly how it went. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectRoot } from './project.ts';

export interface TestTotals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** False also when jest itself failed, for example on a file it could not load. */
  readonly success: boolean;
}

interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numRuntimeErrorTestSuites: number;
  readonly success: boolean;
}

// Jest loads ES modules only under the first flag; Node warns about it and about type stripping.
const NODE_FLAGS = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];

// Jest would take one process less than there are cores: on two cores a single one, and most tests wait for other programs.
const WORKERS = ['--maxWorkers=2'];

/** Runs the tests below `paths` (folders or files, relative to the project). */
export async function runJest(
  paths: readonly string[],
  args: readonly string[] = [],
): Promise<TestTotals> {
  const scratch = await mkdtemp(join(tmpdir(), 'jest-report-'));
  try {
    const reportFile = join(scratch, 'report.json');
    const exitCode = await spawnJest([
      ...paths,
      ...args,
      ...WORKERS,
      '--json',
      `--outputFile=${reportFile}`,
    ]);
    const report = await readReport(reportFile);
    return report === undefined ? NO_REPORT : totalsOf(report, exitCode);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

// Jest ended before it could write a report: that is one failure, whatever it was.
const NO_REPORT: TestTotals = { passed: 0, failed: 1, skipped: 0, success: false };

function totalsOf(report: JestReport, exitCode: number): TestTotals {
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + report.numRuntimeErrorTestSuites,
    skipped: report.numPendingTests,
    success: exitCode === 0 && report.success,
  };
}

async function spawnJest(args: readonly string[]): Promise<number> {
  const jest = join(projectRoot, 'node_modules', 'jest', 'bin', 'jest.js');
  const child = spawn(process.execPath, [...NODE_FLAGS, jest, ...args], {
    cwd: projectRoot,
    // The report goes to its file; what people read is on standard error.
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

async function readReport(path: string): Promise<JestReport | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as JestReport;
  } catch {
    return undefined;
  }
}
