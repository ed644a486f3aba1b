/** The configuration files of a cluster of ours, as text. Pure. */

/** What differs between clusters. */
export interface ClusterSettings {
  /** Besides loopback; none means loopback only. */
  readonly listenAddress?: string;
  readonly backupRole: string;
}

/** `conf.d/database-charm.conf`: what differs from the distribution's defaults. */
export function clusterConf(settings: ClusterSettings): string {
  const addresses = ['localhost', settings.listenAddress].filter((each) => each !== undefined);
  return `# Written by the database charm; changes are lost. Use ALTER SYSTEM for settings of your own.
listen_addresses = '${addresses.join(',')}'
password_encryption = 'scram-sha-256'
wal_level = replica
# Each running backup takes two senders and one slot.
max_wal_senders = 20
max_replication_slots = 20
`;
}

/** `pg_hba.conf`: the first line that fits a connection decides. */
export function clusterHba(settings: ClusterSettings): string {
  const backup = `"${settings.backupRole.replaceAll('"', '""')}"`;
  return `# Written by the database charm; changes are lost.
# TYPE  DATABASE     USER  ADDRESS  METHOD
local   all          postgres       peer
# The backup role copies the cluster from this machine, and does nothing else.
local   replication  ${backup}      scram-sha-256
local   all          ${backup}      reject
host    all          ${backup}  all  reject
host    replication  ${backup}  all  reject
local   all          all            scram-sha-256
host    all          all   all      scram-sha-256
`;
}
