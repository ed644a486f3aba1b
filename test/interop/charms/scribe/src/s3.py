"""Just enough of S3, signed with version 4, for objects in path style."""

import datetime
import hashlib
import hmac
import urllib.parse
import urllib.request


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def request(storage, method, key, body=b""):
    """Puts or gets an object; `storage` is the databag of an s3 provider."""
    url = urllib.parse.urlsplit(storage["endpoint"])
    path = urllib.parse.quote(f"/{storage['bucket']}/{key}")
    time = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": url.netloc, "x-amz-content-sha256": digest, "x-amz-date": time}
    names = ";".join(headers)
    lines = [method, path, "", *(f"{name}:{text}" for name, text in headers.items()), ""]
    canonical = "\n".join([*lines, names, digest])
    region = storage.get("region") or "us-east-1"
    scope = f"{time[:8]}/{region}/s3/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    signing_key = f"AWS4{storage['secret-key']}".encode()
    for part in scope.split("/"):
        signing_key = _hmac(signing_key, part)
    signature = _hmac(signing_key, "\n".join(["AWS4-HMAC-SHA256", time, scope, hashed])).hex()
    credential = f"Credential={storage['access-key']}/{scope}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 {credential}, SignedHeaders={names}, Signature={signature}"
    )
    call = urllib.request.Request(
        f"{url.scheme}://{url.netloc}{path}", data=body or None, method=method, headers=headers
    )
    with urllib.request.urlopen(call, timeout=30) as answer:
        return answer.read()
