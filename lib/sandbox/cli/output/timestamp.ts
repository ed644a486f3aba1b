/** The ways Juju writes a moment, in the local time zone or in UTC. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

interface Parts {
  readonly date: string;
  readonly time: string;
  readonly day: string;
  readonly month: string;
  readonly year: string;
  readonly offsetMinutes: number;
}

export interface ZoneChoice {
  readonly utc: boolean;
}

/** `15:04:05`. */
export function clockTime(at: Date, zone: ZoneChoice): string {
  return partsOf(at, zone).time;
}

/** `2024-01-02`. */
export function calendarDate(at: Date, zone: ZoneChoice): string {
  return partsOf(at, zone).date;
}

/** `15:04:05+07:00`, or with `Z` in UTC: the controller's time in `juju status`. */
export function clockTimeWithZone(at: Date, zone: ZoneChoice): string {
  const parts = partsOf(at, zone);
  return parts.time + isoOffset(parts.offsetMinutes);
}

/** `02 Jan 2006 15:04:05Z` in local time, `2006-01-02 15:04:05Z` in UTC: `since` in `juju status`. */
export function statusTime(at: Date, zone: ZoneChoice): string {
  const parts = partsOf(at, zone);
  return zone.utc
    ? `${parts.date} ${parts.time}Z`
    : `${parts.day} ${parts.month} ${parts.year} ${parts.time}${isoOffset(parts.offsetMinutes)}`;
}

/** `2024-01-02 15:04:05 +0000 UTC`, Go's own form: the times of actions. */
export function goTime(at: Date, zone: ZoneChoice): string {
  const parts = partsOf(at, zone);
  const offset = isoOffset(parts.offsetMinutes, '+00:00').replace(':', '');
  return `${parts.date} ${parts.time} ${offset} ${zone.utc ? 'UTC' : zoneName(at, offset)}`;
}

/** `2024-01-02T15:04:05Z`. */
export function isoTime(at: Date, zone: ZoneChoice): string {
  const parts = partsOf(at, zone);
  return `${parts.date}T${parts.time}${isoOffset(parts.offsetMinutes)}`;
}

/** `3 minutes ago`, `just now`, a date after a day: how Juju's lists tell ages. */
export function friendlyAge(at: Date, now: Date): string {
  const seconds = Math.floor((now.getTime() - at.getTime()) / 1000);
  if (seconds >= 86_400) {
    return calendarDate(at, { utc: true });
  }
  const [amount, unit] =
    seconds >= 3600
      ? [Math.floor(seconds / 3600), 'hour']
      : seconds >= 60
        ? [Math.floor(seconds / 60), 'minute']
        : [seconds, 'second'];
  return unit === 'second' && amount < 2
    ? 'just now'
    : `${amount} ${unit}${amount === 1 ? '' : 's'} ago`;
}

function partsOf(at: Date, zone: ZoneChoice): Parts {
  const offsetMinutes = zone.utc ? 0 : -at.getTimezoneOffset();
  const shifted = new Date(at.getTime() + offsetMinutes * 60_000).toISOString();
  return {
    date: shifted.slice(0, 10),
    time: shifted.slice(11, 19),
    day: shifted.slice(8, 10),
    month: MONTHS[Number(shifted.slice(5, 7)) - 1] ?? '',
    year: shifted.slice(0, 4),
    offsetMinutes,
  };
}

function isoOffset(minutes: number, zero = 'Z'): string {
  if (minutes === 0) {
    return zero;
  }
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${twoDigits(Math.floor(size / 60))}:${twoDigits(size % 60)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** `CET` where the zone has such a name, else its offset, as Go does. */
function zoneName(at: Date, offset: string): string {
  const name = /\(?\b([A-Z]{3,5})\)?$/.exec(
    at.toLocaleTimeString('en-GB', { timeZoneName: 'short' }),
  )?.[1];
  return name ?? offset.replace(/00$/, '');
}
