/** The names people type: applications, units, leaders, endpoints. */

const APPLICATION = /^[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*$/;
const UNIT = /^([a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*)\/(\d+|leader)$/;

/** Whether the text can be the name of an application. */
export function isApplicationName(text: string): boolean {
  return APPLICATION.test(text);
}

/** Whether the text names a unit: `db/0`; not `db/leader`. */
export function isUnitName(text: string): boolean {
  return UNIT.test(text) && !text.endsWith('/leader');
}

/** Whether the text is the id of a machine: `3`, or of a container: `3/lxd/0`. */
export function isMachineId(text: string): boolean {
  return /^(?:0|[1-9]\d*)(?:\/[a-z]+\/(?:0|[1-9]\d*))*$/.test(text);
}

/** Whether the text names a unit or `application/leader`. */
export function isUnitOrLeader(text: string): boolean {
  return UNIT.test(text);
}

/** `db` of `db/0`. */
export function applicationOf(unit: string): string {
  return unit.split('/')[0] ?? unit;
}

/** `unit-db-0` of `db/0`, `machine-3` of `3`. */
export function receiverTag(name: string): string {
  return name.includes('/') ? unitTag(name) : `machine-${name}`;
}

/** `unit-db-0` of `db/0`, as Juju calls units in logs and progress. */
export function unitTag(unit: string): string {
  return `unit-${unit.replace('/', '-')}`;
}
