/**
 * The patterns after `juju status`: names of applications, units and machines, statuses, ports, addresses,
 * subnets and `exposed`. https://github.com/juju/juju/blob/3.6/apiserver/facades/client/client/filtering.go
 */
import { BlockList, isIPv4 } from 'node:net';
import type { ApplicationStatus, FullStatus, UnitStatus } from '../../api-status.ts';
import { allUnits } from './all-units.ts';

/** Keeps what any pattern matches, and what belongs to it; no pattern keeps everything. */
export function filterStatus(view: FullStatus, patterns: readonly string[]): FullStatus {
  if (patterns.length === 0) {
    return view;
  }
  const matchers = patterns.map((pattern) => matcher(leaderNamed(view, pattern) ?? pattern));
  const matches: Matcher = (...texts) => matchers.some((match) => match(...texts));
  const applications = view.applications.flatMap((application) => {
    const kept = filterApplication(application, matches, patterns);
    return kept === undefined ? [] : [kept];
  });
  const names = new Set(applications.map(({ name }) => name));
  const machines = new Set(
    applications.flatMap(({ units }) => units.map(({ machine }) => machine ?? '')),
  );
  return {
    ...view,
    applications,
    remoteApplications: view.remoteApplications.filter(
      ({ name, status, relations }) =>
        matches(name, status.current) ||
        Object.values(relations).some((related) => related.some((one) => names.has(one))),
    ),
    offers: view.offers.filter((offer) => matches(offer.name) || names.has(offer.application)),
    machines: view.machines.filter(({ id }) => machines.has(id) || patterns.includes(id)),
    relations: view.relations.filter(({ provider, requirer }) =>
      [provider, requirer].some((end) => names.has(end.split(':')[0] ?? '')),
    ),
  };
}

type Matcher = (...texts: readonly string[]) => boolean;

/** `db/1` for `db/leader`. */
function leaderNamed(view: FullStatus, pattern: string): string | undefined {
  const application = pattern.endsWith('/leader') ? pattern.split('/')[0] : undefined;
  return allUnits(view).find(({ name, leader }) => leader && name.split('/')[0] === application)
    ?.name;
}

function filterApplication(
  application: ApplicationStatus,
  matches: Matcher,
  patterns: readonly string[],
): ApplicationStatus | undefined {
  const { name, exposed, status } = application;
  if (matches(name, ...(exposed ? ['exposed'] : []))) {
    return application;
  }
  const units = application.units.filter((unit) => unitMatches(unit, matches, patterns));
  if (units.length > 0) {
    return { ...application, units };
  }
  return application.units.length === 0 && matches(status.current) ? application : undefined;
}

function unitMatches(unit: UnitStatus, matches: Matcher, patterns: readonly string[]): boolean {
  const { name, workload, agent, address, ports, machine } = unit;
  return (
    matches(name, workload.current, agent.current, ...ports) ||
    patterns.some((pattern) => pattern === machine || isIn(address, pattern)) ||
    unit.subordinates.some((item) => matches(item.name, item.name.split('/')[0] ?? ''))
  );
}

/** Whether the address is the one of the pattern, or in its subnet. */
function isIn(address: string | undefined, pattern: string): boolean {
  const [, network, bits] = /^([\d.]+)\/(\d+)$/.exec(pattern) ?? [];
  if (address === undefined || network === undefined) {
    return address === pattern;
  }
  if (!isIPv4(address) || !isIPv4(network) || Number(bits) > 32) {
    return false;
  }
  const subnet = new BlockList();
  subnet.addSubnet(network, Number(bits));
  return subnet.check(address);
}

/** Shell-like patterns: `*` and `?`. */
function matcher(pattern: string): Matcher {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 'i');
  return (...texts) => texts.some((text) => expression.test(text));
}
