/** The pure parts of the PostgreSQL engine: names, quoting, verifiers, configuration, failures. */
import { describe, expect, test } from '@jest/globals';
import { clusterName, createEngine, isEngineName, parsePostgresqlConfig } from '#engines';
import { HintError } from '#system';
import { clusterConf, clusterHba } from '../../../lib/engines/postgresql/cluster-config.ts';
import { explainFailure, isUnavailable } from '../../../lib/engines/postgresql/failures.ts';
import { processRole } from '../../../lib/engines/postgresql/processes.ts';
import { roleStatements } from '../../../lib/engines/postgresql/roles.ts';
import { scramVerifier } from '../../../lib/engines/postgresql/scram.ts';
import { conninfo, sqlLiteral, sqlName } from '../../../lib/engines/postgresql/sql.ts';
import { assert as holds, property, string } from '../../helpers/fast-check.ts';

const INSTANCE = {
  version: '15',
  cluster: 'db_0',
  dataDirectory: '/var/lib/postgresql/15/db_0',
  port: 5433,
  socketDirectory: '/run/postgresql',
  osUser: 'postgres',
};

test('a verifier equals the one of RFC 7677', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');

  expect(scramVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  );
});

describe('quoting', () => {
  test('keeps any text inside its literal, name or connection setting', () => {
    holds(
      property(string(), (value) => {
        const literal = sqlLiteral(value).replace(/^E/, '');
        const bare = literal.slice(1, -1).replaceAll('\\\\', '').replaceAll("''", '');
        expect(bare.includes("'") || bare.includes('\\')).toBe(false);
        expect(sqlName(value).slice(1, -1).replaceAll('""', '')).not.toContain('"');
        const setting = conninfo({ user: value }).slice("user='".length, -1);
        expect(setting.replaceAll(/\\./gs, '')).not.toMatch(/['\\]/);
      }),
    );
  });

  test('statements of a role hold its verifier and never its password', () => {
    const statements = roleStatements('backup', { name: `o'br"ien`, password: 'Very-Secret-1' });

    expect(statements).not.toContain('Very-Secret-1');
    expect(statements).toContain('SCRAM-SHA-256$');
    expect(statements).toContain('ALTER ROLE "o\'br""ien" WITH LOGIN REPLICATION NOSUPERUSER');
    expect(statements).toContain(`'CREATE ROLE "o''br""ien"'`);
  });
});

describe('the name of a cluster', () => {
  test('has no dash, which systemd would read as a slash', () => {
    expect(clusterName('my-db/0-3f')).toBe('my_db_0_3f');
  });

  test('is safe whatever it is made from', () => {
    holds(
      property(string(), (text) => {
        expect(clusterName(text)).toMatch(/^[a-z0-9_]*$/);
      }),
    );
  });
});

describe('the configuration of an engine', () => {
  const role = { name: 'b', password: 'secret-password' };

  test('survives JSON', () => {
    const config = { engine: 'postgresql' as const, ...INSTANCE, backupRole: role };

    expect(parsePostgresqlConfig(JSON.parse(JSON.stringify(config)))).toEqual(config);
    expect(createEngine(config).name).toBe('postgresql');
  });

  test('that is damaged is refused by the name of the key, without its value', () => {
    const damaged = { engine: 'postgresql', ...INSTANCE, backupRole: { ...role, name: 7 } };

    expect(() => parsePostgresqlConfig(damaged)).toThrow(/name is missing or malformed/);
    expect(() => parsePostgresqlConfig({ ...damaged, port: 'x' })).toThrow(/port/);
    expect(() => parsePostgresqlConfig(null)).toThrow(HintError);
  });

  test('names an engine we have, or is refused with the list of them', () => {
    expect(() => createEngine({ engine: 'oracle' })).toThrow(/"oracle"/);
    expect(() => createEngine(undefined)).toThrow(HintError);
    expect(isEngineName('postgresql')).toBe(true);
    expect(isEngineName('PostgreSQL')).toBe(false);
  });
});

describe('configuration files', () => {
  test('listen on loopback and the address of the unit only', () => {
    const own = clusterConf({ backupRole: 'b' });
    const unit = clusterConf({ backupRole: 'b', listenAddress: '10.0.0.7' });

    expect(own).toContain("listen_addresses = 'localhost'");
    expect(unit).toContain("listen_addresses = 'localhost,10.0.0.7'");
  });

  test('let the backup role replicate locally before they reject it everywhere else', () => {
    const lines = clusterHba({ backupRole: 'b' })
      .split('\n')
      .filter((line) => line.includes('"b"'));

    expect(lines[0]).toMatch(/^local\s+replication\s+"b"\s+scram-sha-256$/);
    expect(lines.slice(1).every((line) => line.endsWith('reject'))).toBe(true);
  });
});

describe('processes', () => {
  test.each([
    ['/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/db_0 -c x=y', 'server'],
    ['/usr/lib/postgresql/15/bin/pg_ctl start -D /var/lib/postgresql/15/db_0', 'controller'],
    ['/usr/bin/perl -wT /usr/bin/pg_ctlcluster 15 db_0 start', 'controller'],
    [
      '/usr/bin/perl -wT /usr/bin/pg_ctlcluster --skip-systemctl-redirect 15-db_0 start',
      'controller',
    ],
    ['/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/db_01', undefined],
    ['/usr/bin/perl -wT /usr/bin/pg_ctlcluster 15 db_01 start', undefined],
    ['/usr/bin/perl -wT /usr/bin/pg_ctlcluster 14 db_0 start', undefined],
    ['grep pg_ctlcluster', undefined],
    ['', undefined],
  ])('%s is %s of the cluster', (line, role) => {
    expect(processRole(line.split(' '), INSTANCE)).toBe(role);
  });
});

describe('failures', () => {
  test.each([
    ['FATAL:  password authentication failed for user "b"', 'login-refused'],
    ['ERROR:  the standby was promoted during online backup', 'timeline-changed'],
    ['FATAL:  all replication slots are in use', 'too-many-backups'],
    ['write failed: No space left on device', 'disk-full'],
    ['server closed the connection unexpectedly', 'database-lost'],
    ['connection to server on socket "/s" failed: Connection refused', 'database-unavailable'],
    ['something new', 'database-failed'],
    ['', 'database-failed'],
  ])('"%s" is %s', (output, code) => {
    const error = explainFailure('cannot back up', output);

    expect(error.code).toBe(code);
    expect(error.hint).toBeDefined();
    expect(error.message.startsWith('cannot back up: ')).toBe(true);
  });

  test('quote the telling line rather than the last', () => {
    const error = explainFailure('cannot x', 'noise\nERROR:  disk of the moon\ncontext line\n');

    expect(error.message).toBe('cannot x: ERROR:  disk of the moon');
  });

  test('a server that starts up is unavailable, one that refuses is not', () => {
    expect(isUnavailable('FATAL:  the database system is starting up')).toBe(true);
    expect(isUnavailable('failed: server closed the connection unexpectedly')).toBe(true);
    expect(isUnavailable('FATAL:  Peer authentication failed')).toBe(false);
  });
});
