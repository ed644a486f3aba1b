/** The charm a unit has: that of its application but while it has yet to upgrade. */
import type { Reader } from '../store/store.ts';
import type { CharmMetadata } from './charm-metadata.ts';

/** The id of the charm. */
export function charmOfUnit(reader: Reader, name: string): string {
  const { application, charm } = reader.require('unit', name);
  return charm ?? reader.require('application', application).charm;
}

export function metadataOfUnit(reader: Reader, name: string): CharmMetadata {
  return reader.require('charm', charmOfUnit(reader, name)).metadata;
}
