/** The one user of the server, as lists name the owner of things. */
import type { XmlChildren } from '../protocol/xml.ts';

export const OWNER: XmlChildren = [
  ['ID', 'juju-s3'],
  ['DisplayName', 'juju-s3'],
];
