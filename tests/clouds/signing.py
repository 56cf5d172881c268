"""Signatures as the vendors' documents describe them, checked by code of its own: nothing here is shared with the agent. check(request) returns what
is wrong with it, None where nothing is."""
import base64
import hashlib
import hmac
import re
import time
from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote, urlsplit

ID, SECRET, TOKEN = "AKIDLAB", "s3cr3t/key+=", "s3cr3t-token"


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def digest(octets):
    return hashlib.sha256(octets).hexdigest()


def sorted_query(target):
    pairs = parse_qsl(urlsplit(target).query, keep_blank_values=True)
    return "&".join(f"{k}={v}" for k, v in sorted((quote(a, safe="-_.~"), quote(b, safe="-_.~")) for a, b in pairs))


def canonical(r, path, names, value=lambda v: v.strip()):
    return "\n".join([r.method, path, sorted_query(r.target)] + [f"{n}:{value(r.headers[n])}" for n in names] + ["", ";".join(names), digest(r.body)])


def stale(when):
    return abs(when - time.time()) > 300


def taken_apart(r, pattern, wanted):
    """The parts of Authorization, and whether the headers that must be signed are."""
    m = re.fullmatch(pattern, r.headers.get("Authorization", ""))
    names = m.group("names").split(";") if m else []
    if not m or names != sorted(names) or not set(wanted) <= set(names) or m.group("id") != ID:
        return None, names
    return m, names


def tc3(r):
    """tencentcloud.com "Signature v3" """
    m, names = taken_apart(r, r"TC3-HMAC-SHA256 Credential=(?P<id>[^/]+)/(\d{4}-\d\d-\d\d)/dnspod/tc3_request, SignedHeaders=(?P<names>\S+), "
                              r"Signature=(?P<sig>[0-9a-f]{64})", ["content-type", "host"])
    when = int(r.headers.get("X-TC-Timestamp", 0))
    if not m or stale(when) or datetime.fromtimestamp(when, timezone.utc).strftime("%Y-%m-%d") != m.group(2):
        return "AuthFailure.InvalidAuthorization"
    scope = f"{m.group(2)}/dnspod/tc3_request"
    text = "\n".join(["TC3-HMAC-SHA256", str(when), scope, digest(canonical(r, "/", names, lambda v: v.strip().lower()).encode())])
    key = ("TC3" + SECRET).encode()
    for part in scope.split("/"):
        key = mac(key, part)
    return None if mac(key, text).hex() == m.group("sig") else "AuthFailure.SignatureFailure"


def acs3(r):
    """alibabacloud.com "V3 request structure and signature" """
    wanted = ["host"] + [n.lower() for n in r.headers if n.lower().startswith("x-acs-")]
    m, names = taken_apart(r, r"ACS3-HMAC-SHA256 Credential=(?P<id>[^,]+),SignedHeaders=(?P<names>[^,]+),Signature=(?P<sig>[0-9a-f]{64})", wanted)
    if not m or r.headers["x-acs-content-sha256"] != digest(r.body) or len(r.headers["x-acs-signature-nonce"]) < 16:
        return "IncompleteSignature"
    when = datetime.strptime(r.headers["x-acs-date"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()
    text = "ACS3-HMAC-SHA256\n" + digest(canonical(r, urlsplit(r.target).path, names).encode())
    return None if not stale(when) and mac(SECRET.encode(), text).hex() == m.group("sig") else "SignatureDoesNotMatch"


def sdk(r):
    """support.huaweicloud.com devg-apisign "AK/SK signing": the path ends in a slash where it is signed"""
    m, names = taken_apart(r, r"SDK-HMAC-SHA256 Access=(?P<id>[^,]+), SignedHeaders=(?P<names>\S+), Signature=(?P<sig>[0-9a-f]{64})", ["x-sdk-date"])
    if not m:
        return "APIGW.0301"
    date = r.headers["X-Sdk-Date"]
    when = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    text = f"SDK-HMAC-SHA256\n{date}\n" + digest(canonical(r, urlsplit(r.target).path.rstrip("/") + "/", names).encode())
    return None if not stale(when) and mac(SECRET.encode(), text).hex() == m.group("sig") else "APIGW.0301"


def edgegrid(r):
    """techdocs.akamai.com "EdgeGrid": the body counts for POST alone"""
    m = re.fullmatch(r"(EG1-HMAC-SHA256 client_token=([^;]+);access_token=([^;]+);timestamp=(\d{8}T\d\d:\d\d:\d\d\+0000);nonce=([^;]+);)signature=(\S+)",
                     r.headers.get("Authorization", ""))
    if not m or m.group(2) != ID or m.group(3) != TOKEN:
        return "Invalid token"
    when = datetime.strptime(m.group(4), "%Y%m%dT%H:%M:%S%z").timestamp()
    body = base64.b64encode(hashlib.sha256(r.body).digest()).decode() if r.method == "POST" and r.body else ""
    text = "\t".join([r.method, "http", r.headers["Host"], r.target, "", body, m.group(1)])
    signature = base64.b64encode(mac(base64.b64encode(mac(SECRET.encode(), m.group(4))), text)).decode()
    return None if not stale(when) and signature == m.group(6) else "The signature does not match"
