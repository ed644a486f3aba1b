/** What the server is told when it is created. */
import type { Clock } from '#system';
import type { Faults } from './faults.ts';

export interface S3ServerOptions {
  /** Where buckets are kept; created if missing. One server at a time may use it. */
  readonly directory: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Makes the keys temporary: requests must carry it. */
  readonly sessionToken?: string;
  /** Buckets to create unless they exist. */
  readonly buckets?: readonly string[];
  /** 127.0.0.1 unless told. */
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** Serves https with this certificate; http without. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Host style as well: requests to `BUCKET.DOMAIN`, whatever resolves that name. Path style only unless told. */
  readonly domain?: string;
  /** Refuses signatures for any other region; without it every region is welcome. */
  readonly region?: string;
  /** Whether a success survives a power cut too; off unless told, a crash of the server is harmless anyway. */
  readonly fsync?: boolean;
  readonly clock?: Clock;
  /** Chooses requests that shall fail, for tests. */
  readonly faults?: Faults;
  /** Told of every request once it has ended. */
  readonly onRequest?: (request: FinishedRequest) => void;
  /** Told of trouble on the server's side, in one line. */
  readonly onWarning?: (message: string) => void;
}

/** One line of an access log. */
export interface FinishedRequest {
  /** S3's name of the operation, or the method where it could not be told. */
  readonly operation: string;
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  /** 0 when the connection ended without an answer. */
  readonly status: number;
  readonly errorCode: string | undefined;
  readonly durationMs: number;
  readonly requestId: string;
}
