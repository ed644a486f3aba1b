/** How the bucket turned out to want to be spoken to, where that is not as configured. Pure. */
import { createHash } from 'node:crypto';
import type { StorageConfig } from '#database-backup';
import type { StorageReport } from '#object-store';

/** What a probe found to work; kept in the peer databag. */
export interface KeptProfile {
  /** Of the settings it was found for: with others it means nothing. */
  readonly settings: string;
  readonly region?: string;
  readonly 's3-uri-style'?: 'path' | 'host';
}

const JUDGED = ['bucket', 'endpoint', 'region', 's3-uri-style'] as const;

/** Names what decides about a profile; holds no secret. */
function fingerprint(config: StorageConfig): string {
  const values = JUDGED.map((key) => config[key] ?? '');
  return createHash('sha256').update(JSON.stringify(values)).digest('hex').slice(0, 32);
}

/** What to keep of a report on these settings; undefined where they work as they are, or nothing does. */
export function profileFrom(config: StorageConfig, report: StorageReport): KeptProfile | undefined {
  const { region, uriStyle } = report.profile;
  const isHostByDefault = config.endpoint === undefined;
  const style = config['s3-uri-style'] ?? (isHostByDefault ? 'host' : 'path');
  const changes = {
    ...(region === (config.region ?? 'us-east-1') ? {} : { region }),
    ...(uriStyle === (style === 'virtual' ? 'host' : style) ? {} : { 's3-uri-style': uriStyle }),
  };
  return report.usable && Object.keys(changes).length > 0
    ? { settings: fingerprint(config), ...changes }
    : undefined;
}

/** The settings as they work. */
export function withProfile(
  config: StorageConfig,
  profile: KeptProfile | undefined,
): StorageConfig {
  if (profile === undefined || profile.settings !== fingerprint(config)) {
    return config;
  }
  const { settings: _, ...changes } = profile;
  return { ...config, ...changes };
}

/** Reads the databag's text. Never throws. */
export function parseProfile(text: string | undefined): KeptProfile | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null');
    return isProfile(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isProfile(value: unknown): value is KeptProfile {
  const {
    settings,
    region = '',
    's3-uri-style': style = 'path',
  } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  return (
    typeof settings === 'string' &&
    typeof region === 'string' &&
    (style === 'path' || style === 'host')
  );
}
