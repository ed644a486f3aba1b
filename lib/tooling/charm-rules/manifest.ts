/** Juju's rules for manifest.yaml. https://github.com/juju/charm/blob/v12/manifest.go, base.go */
import type { JsonRecord, JsonValue } from '#system';
import { isMap, quote, type Report } from './document.ts';

const SYSTEMS: readonly unknown[] = ['ubuntu', 'centos', 'genericlinux'];
const ARCHITECTURES: readonly unknown[] = ['amd64', 'arm64', 'ppc64el', 's390x', 'riscv64'];
const CHANNEL = /^[^/\s]+(?:\/(?:stable|candidate|beta|edge)(?:\/[^/\s]+)?)?$/;

/** Reports what Juju would refuse; answers the architectures the charm says it is for. */
export function checkManifest(manifest: JsonRecord, report: Report): readonly string[] {
  const { bases } = manifest;
  if (!Array.isArray(bases) || bases.length === 0) {
    report('manifest.yaml: bases has to name the bases the charm runs on');
    return [];
  }
  return (bases as readonly JsonValue[]).flatMap((base) => checkBase(base, report));
}

function checkBase(base: JsonValue, report: Report): readonly string[] {
  if (!isMap(base)) {
    report(`manifest.yaml: bases: expected map, got ${quote(base)}`);
    return [];
  }
  const { name, channel, architectures = [] } = base;
  if (!SYSTEMS.includes(name)) {
    report(`manifest.yaml: bases: os ${quote(name)} not valid`);
  }
  if (typeof channel !== 'string' || !CHANNEL.test(channel)) {
    report(`manifest.yaml: bases: channel ${quote(channel)} not valid; it is a text`);
  }
  const list = Array.isArray(architectures) ? (architectures as readonly JsonValue[]) : [];
  for (const one of list.filter((architecture) => !ARCHITECTURES.includes(architecture))) {
    report(`manifest.yaml: bases: architecture ${quote(one)} not valid`);
  }
  return list.filter((one) => typeof one === 'string');
}
