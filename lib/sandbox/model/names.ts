/** Names and ids as Juju spells them. */

const NUMBER = '(?:0|[1-9]\\d*)';
const APPLICATION = '[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*';
const UNIT_PATTERN = new RegExp(`^${APPLICATION}/${NUMBER}$`);
const APPLICATION_PATTERN = new RegExp(`^${APPLICATION}$`);

export function isUnitName(text: string): boolean {
  return UNIT_PATTERN.test(text);
}

export function isApplicationName(text: string): boolean {
  return APPLICATION_PATTERN.test(text);
}

/** `app` of `app/0`. */
export function applicationOf(unit: string): string {
  return unit.split('/', 1)[0] ?? unit;
}

/** `unit-app-0` of `app/0`. */
export function unitTag(unit: string): string {
  return `unit-${unit.replace('/', '-')}`;
}

/** Units in order of their numbers, applications in order of their names. */
export function compareUnits(a: string, b: string): number {
  const [appA = '', numberA = '0'] = a.split('/');
  const [appB = '', numberB = '0'] = b.split('/');
  if (appA !== appB) {
    return appA < appB ? -1 : 1;
  }
  return Number(numberA) - Number(numberB);
}

/** Order of plain texts by code unit, as Go sorts them. */
export function compareText(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}
