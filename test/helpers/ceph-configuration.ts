/** The configuration of a Ceph cluster of one machine that forgets everything when it ends. */
import { join } from 'node:path';
import type { Certificate } from './certificate.ts';

export interface CephPorts {
  readonly http: number;
  readonly https: number;
  readonly monitor: number;
}

export interface CephConfigurationOptions {
  readonly directory: string;
  readonly ports: CephPorts;
  readonly clusterId: string;
  readonly certificate: Certificate;
}

/** Directories that the daemons expect. */
export const cephDirectories = ['mon', 'osd', 'rgw', 'run', 'log', 'crash'] as const;

// Upper bound of what tests may store; memory is taken as it fills.
const STORE_BYTES = 8 * 1024 ** 3;

/** The text of `ceph.conf`. */
export function cephConfiguration(options: CephConfigurationOptions): string {
  return [
    section('global', { ...cluster(options), ...places(options.directory), ...smallness }),
    section('client.rgw', gateway(options)),
  ].join('\n');
}

// A cluster that trusts whoever reaches its loopback ports.
function cluster({ clusterId, ports }: CephConfigurationOptions): Record<string, string> {
  return {
    fsid: clusterId,
    mon_host: `[v1:127.0.0.1:${ports.monitor}]`,
    public_addr: '127.0.0.1',
    cluster_addr: '127.0.0.1',
    ms_bind_ipv6: 'false',
    auth_cluster_required: 'none',
    auth_service_required: 'none',
    auth_client_required: 'none',
  };
}

function places(directory: string): Record<string, string> {
  const within = (path: string): string => join(directory, path);
  return {
    mon_data: within('mon'),
    osd_data: within('osd'),
    run_dir: within('run'),
    pid_file: within('run/$name.pid'),
    admin_socket: within('run/$name.asok'),
    log_file: within('log/$name.log'),
    crash_dir: within('crash'),
    keyring: within('keyring'),
  };
}

// One copy, in memory, few placement groups, no care for the fill of the disk, quiet logs.
const smallness: Record<string, string> = {
  osd_pool_default_size: '1',
  osd_pool_default_min_size: '1',
  osd_pool_default_pg_num: '8',
  osd_pool_default_pgp_num: '8',
  osd_crush_chooseleaf_type: '0',
  osd_class_update_on_start: 'false',
  osd_crush_update_on_start: 'false',
  osd_objectstore: 'memstore',
  memstore_device_bytes: String(STORE_BYTES),
  mon_allow_pool_size_one: 'true',
  mon_max_pg_per_osd: '1000',
  mon_data_avail_crit: '1',
  mon_data_avail_warn: '1',
  debug_ms: '0',
  debug_mon: '0',
  debug_osd: '0',
  debug_rgw: '0',
};

function gateway({
  directory,
  ports,
  certificate,
}: CephConfigurationOptions): Record<string, string> {
  return {
    rgw_frontends: [
      'beast',
      `endpoint=127.0.0.1:${ports.http}`,
      `ssl_endpoint=127.0.0.1:${ports.https}`,
      `ssl_certificate=${certificate.certPath}`,
      `ssl_private_key=${certificate.keyPath}`,
      'tcp_nodelay=1',
    ].join(' '),
    rgw_data: join(directory, 'rgw'),
    rgw_dns_name: 'localhost',
    rgw_enable_usage_log: 'false',
    rgw_gc_obj_min_wait: '5',
  };
}

function section(name: string, values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}`);
  return `[${name}]\n${lines.join('\n')}\n`;
}
