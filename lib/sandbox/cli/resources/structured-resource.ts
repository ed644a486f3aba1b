/** Resources as documents. */
import type { ApplicationResources, ResourceInfo } from '../../api-resources.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { type OutputValue, Timestamp } from '../../go-output/values.ts';
import { isoTime } from '../output/timestamp.ts';

// Who bootstrapped; the sandbox has one user.
export const UPLOADER = 'admin';
const NEVER = '0001-01-01T00:00:00Z';

/** One resource of an application. */
export function resourceDocument(application: string, one: ResourceInfo): OutputValue {
  const { upload } = one;
  return {
    resourceid: `${application}/${one.name}`,
    applicationId: application,
    name: one.name,
    type: one.type,
    path: one.path,
    description: one.description,
    revision: upload === undefined ? '-' : String(upload.revision),
    fingerprint: upload?.fingerprint ?? '',
    size: upload?.size ?? 0,
    origin: 'upload',
    used: upload !== undefined,
    timestamp: new Timestamp(
      upload === undefined ? NEVER : isoTime(new Date(upload.uploaded), { utc: true }),
    ),
    username: upload === undefined ? undefined : UPLOADER,
  };
}

/** What units have, and what they should have. */
export function detailsDocument(
  application: string,
  { resources, units }: ApplicationResources,
  only?: string,
): readonly OutputValue[] {
  return Object.entries(units)
    .filter(([unit]) => only === undefined || unit === only)
    .toSorted(([a], [b]) => compareNaturally(a, b))
    .flatMap(([unitID, copies]) =>
      resources.map(({ upload, ...one }) => {
        const isThere = upload !== undefined && copies[one.name] === upload.revision;
        return {
          unitID,
          unit: resourceDocument(application, isThere ? { ...one, upload } : one),
          expected: resourceDocument(application, upload === undefined ? one : { ...one, upload }),
        };
      }),
    );
}
