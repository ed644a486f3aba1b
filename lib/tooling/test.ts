/**
 * `npm test [-- PATH …]`: unit, contract, integration and end-to-end tests; installs the Debian
 * packages they need. With paths, only the tests below these.
 */
import { describeError } from '#system';
import { ensureDebianPackages } from './debian-packages.ts';
import { runJest } from './jest.ts';

// The tests' real servers: Ceph's S3 gateway, and what makes certificates for it; Python for the charms
// of others; what the sandbox makes machines with, and a look at them; what opens an exported backup.
// PostgreSQL is installed by the code under test, as the charm's install hook does it.
const DEBIAN_PACKAGES = [
  'radosgw',
  'ceph-mon',
  'ceph-osd',
  'ceph-common',
  'openssl',
  'curl',
  'python3-venv',
  'iproute2',
  'procps',
  'zstd',
];

try {
  const paths = process.argv.slice(2);
  await ensureDebianPackages(DEBIAN_PACKAGES);
  const totals = await runJest(paths);
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
  process.stdout.write(`${totals.passed} passed, ${totals.failed} failed${skipped}\n`);
  process.exitCode = totals.success && totals.passed > 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.stdout.write('0 passed, 1 failed\n');
  process.exitCode = 1;
}
