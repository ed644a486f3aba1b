/** Hands a hash that is known already to the SDK. */
import type * as Sdk from '@aws-sdk/client-s3';

/** Tells the SDK's signer the SHA-256 of the body in hex, so that it does not hash the body again. */
export function signPayload(
  command: InstanceType<typeof Sdk.PutObjectCommand>,
  sha256: string,
): void {
  command.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as { headers: Record<string, string> };
      request.headers['x-amz-content-sha256'] = sha256;
      return await next(args);
    },
    { step: 'build', name: 'knownPayloadHash' },
  );
}
