import { describe, expect, test } from '@jest/globals';
import type { FullStatus, UnitStatus } from '../../../lib/sandbox/api-status.ts';
import { formatSummary } from '../../../lib/sandbox/cli/status/summary.ts';

function summaryUnit(name: string, current: string): UnitStatus {
  return {
    name,
    workload: { current },
    agent: { current: 'idle' },
    leader: false,
    machine: '0',
    address: '10.0.2.1',
    ports: name === 'mysql/0' ? ['80/tcp', '443/tcp', '53/udp', '9000-9010/tcp'] : [],
    subordinates: [],
  };
}

describe('juju status --format summary', () => {
  test('counts as Juju does', () => {
    const text = formatSummary({
      machines: [{ addresses: ['192.168.7.5'], agent: { current: 'started' } }],
      remoteApplications: [{ name: 'hosted', url: 'ctrl:admin/other.db' }],
      applications: [
        { name: 'wordpress', exposed: true, units: [summaryUnit('wordpress/0', 'active')] },
        { name: 'mysql', exposed: false, units: [summaryUnit('mysql/0', 'error')] },
      ],
    } as unknown as FullStatus);
    expect(text).toBe(
      [
        'Running on subnets:  192.168.7.5/24, 10.0.2.1/8  ',
        ' Utilizing ports:    443/tcp, 53/udp, 80/tcp, ',
        '                     9000-9010/tcp  ',
        '      # Machines:  (1)',
        '         started:   1 ',
        '                 ',
        '         # Units:  (2)',
        '          active:   1 ',
        '           error:   1 ',
        '                 ',
        '  # Applications:  (2)',
        '            mysql  0/1  exposed',
        '        wordpress  1/1  exposed',
        '                 ',
        '        # Remote:  (1)',
        '           hosted       ctrl:admin/other.db',
        '',
      ].join('\n'),
    );
  });
});
