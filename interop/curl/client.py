"""libcurl's HTTP/3 client against the routes of the tests.

Usage: client.py BASE CA; prints a line of JSON.
"""

import hashlib
import json
import sys

from curl_cffi import Curl, CurlHttpVersion
from curl_cffi.requests import Session

base, ca = sys.argv[1:]
result = {"version": Curl().version().decode()}
with Session(verify=ca, http_version=CurlHttpVersion.V3ONLY, timeout=30) as session:
    hello = session.get(base + "/hello")
    result["hello"] = [hello.http_version, hello.text]
    result["info"] = session.get(base + "/info").json()
    for size in (0, 1, 1200, 1 << 20, 8 << 20):
        data = bytes((i * 31 + size) & 0xFF for i in range(4096)) * (size // 4096 + 1)
        data = data[:size]
        want = {"bytes": size, "sha256": hashlib.sha256(data).hexdigest()}
        result[f"echo {size}"] = session.post(base + "/echo", data=data).content == data
        result[f"digest {size}"] = session.post(base + "/digest", data=data).json() == want
        result[f"bytes {size}"] = len(session.get(f"{base}/bytes/{size}").content) == size
    result["head"] = session.head(base + "/bytes/5000").headers["content-length"]
    late = session.get(base + "/trailers")
    result["trailers"] = [late.text, late.headers.get("x-after")]
print(json.dumps(result), flush=True)
