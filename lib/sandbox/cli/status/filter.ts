/** The patterns after `juju status`: names of applications, units and machines, and statuses. */
import type { ApplicationStatus, FullStatus, UnitStatus } from '../../api-status.ts';

/** Keeps what any pattern matches, and what belongs to it; no pattern keeps everything. */
export function filterStatus(view: FullStatus, patterns: readonly string[]): FullStatus {
  if (patterns.length === 0) {
    return view;
  }
  const matchers = patterns.map(matcher);
  const applications = view.applications.flatMap((application) => {
    const kept = filterApplication(application, matchers, patterns);
    return kept === undefined ? [] : [kept];
  });
  const names = new Set(applications.map(({ name }) => name));
  const machines = new Set(
    applications.flatMap(({ units }) => units.map(({ machine }) => machine ?? '')),
  );
  return {
    ...view,
    applications,
    machines: view.machines.filter(({ id }) => machines.has(id) || patterns.includes(id)),
    relations: view.relations.filter(({ provider, requirer }) =>
      [provider, requirer].some((end) => names.has(end.split(':')[0] ?? '')),
    ),
  };
}

type Matcher = (text: string) => boolean;

function filterApplication(
  application: ApplicationStatus,
  matchers: readonly Matcher[],
  patterns: readonly string[],
): ApplicationStatus | undefined {
  const matches = (text: string) => matchers.some((match) => match(text));
  if (matches(application.name)) {
    return application;
  }
  const units = application.units.filter((unit) => unitMatches(unit, matches, patterns));
  if (units.length > 0) {
    return { ...application, units };
  }
  return application.units.length === 0 && matches(application.status.current)
    ? application
    : undefined;
}

function unitMatches(unit: UnitStatus, matches: Matcher, patterns: readonly string[]): boolean {
  return (
    matches(unit.name) ||
    matches(unit.workload.current) ||
    matches(unit.agent.current) ||
    matches(unit.address ?? '') ||
    (unit.machine !== undefined && patterns.includes(unit.machine)) ||
    unit.subordinates.some((item) => matches(item.name) || matches(item.name.split('/')[0] ?? ''))
  );
}

/** Shell-like patterns: `*` and `?`. */
function matcher(pattern: string): Matcher {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, 'i');
  return (text) => expression.test(text);
}
