"""JSON Web Signatures as RFC 8555 6.2 wants them, for the lab's ACME server: ES256 (RFC 7518) checked here, EAB by HMAC."""
import base64
import hashlib
import hmac
import json
import re

P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)
MACS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


class Bad(Exception):
    """type: the name of an ACME error."""

    def __init__(self, kind, why):
        super().__init__(why)
        self.kind = kind


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text):
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise Bad("malformed", "not base64url without padding (RFC 8555 6.1)")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def strict(data):
    """JSON without a name given twice."""
    def once(pairs):
        if len({k for k, _ in pairs}) != len(pairs):
            raise Bad("malformed", "a JSON name stands twice")
        return dict(pairs)
    try:
        return json.loads(data, object_pairs_hook=once)
    except (ValueError, RecursionError) as fault:
        raise Bad("malformed", f"no JSON: {fault}") from None


def canonical(jwk):
    """RFC 7638 3."""
    return json.dumps({k: jwk[k] for k in ("crv", "kty", "x", "y")}, separators=(",", ":"), sort_keys=True)


def thumbprint(jwk):
    return b64(hashlib.sha256(canonical(jwk).encode()).digest())


def point(jwk):
    if not isinstance(jwk, dict) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise Bad("badPublicKey", "this CA takes P-256 keys")
    if "d" in jwk:
        raise Bad("badPublicKey", "the private key was sent")
    x, y = (unb64(jwk.get(k, "")) for k in "xy")
    if len(x) != 32 or len(y) != 32:
        raise Bad("badPublicKey", "coordinates of 32 octets are wanted")
    q = int.from_bytes(x, "big"), int.from_bytes(y, "big")
    if (q[1] * q[1] - q[0] ** 3 + 3 * q[0] - B) % P or max(q) >= P:
        raise Bad("badPublicKey", "not on the curve")
    return q


def plus(a, b):
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * (a[0] * a[0] - 1) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def es256(jwk, signed, signature):
    """FIPS 186-4 6.4; both products in one ladder."""
    q = point(jwk)
    if len(signature) != 64:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if not (0 < r < N and 0 < s < N):
        return False
    w = pow(s, -1, N)
    u, v = int.from_bytes(hashlib.sha256(signed).digest(), "big") * w % N, r * w % N
    both, sum_ = plus(G, q), None
    for bit in range(255, -1, -1):
        sum_ = plus(sum_, sum_)
        pair = (u >> bit & 1, v >> bit & 1)
        sum_ = plus(sum_, {(0, 0): None, (1, 0): G, (0, 1): q, (1, 1): both}[pair])
    return sum_ is not None and sum_[0] % N == r


class Message:
    """A flattened JWS taken apart: header, jwk or kid, payload (octets)."""

    def __init__(self, body, nonce_wanted=True):
        outer = strict(body) if isinstance(body, (bytes, str)) else body
        if not isinstance(outer, dict) or set(outer) != {"protected", "payload", "signature"}:
            raise Bad("malformed", "a flattened JWS has protected, payload and signature, no more")
        self.signed = f"{outer['protected']}.{outer['payload']}".encode()
        self.header = strict(unb64(outer["protected"]))
        self.payload = unb64(outer["payload"])
        self.signature = unb64(outer["signature"])
        h = self.header
        if ("jwk" in h) == ("kid" in h):
            raise Bad("malformed", "exactly one of jwk and kid is wanted")
        wanted = {"alg", "url", "jwk" if "jwk" in h else "kid"} | ({"nonce"} if nonce_wanted else set())
        if set(h) != wanted:
            raise Bad("malformed", f"the protected header has {sorted(h)}, wanted {sorted(wanted)}")

    def verify(self, jwk):
        if self.header["alg"] != "ES256":
            raise Bad("badSignatureAlgorithm", "this CA takes ES256")
        if not es256(jwk, self.signed, self.signature):
            raise Bad("malformed", "the signature is wrong")

    def json(self):
        if not self.payload:
            raise Bad("malformed", "this is no POST-as-GET: a payload is wanted")
        data = strict(self.payload)
        if not isinstance(data, dict):
            raise Bad("malformed", "the payload is no object")
        return data


def check_binding(binding, jwk, url, keys):
    """externalAccountBinding, RFC 8555 7.3.4; keys: kid -> octets."""
    m = Message(binding, nonce_wanted=False)
    alg, kid = m.header["alg"], m.header.get("kid")
    if alg not in MACS or kid not in keys:
        raise Bad("unauthorized", "unknown kid or algorithm of the external account binding")
    if m.header["url"] != url or strict(m.payload) != {k: jwk[k] for k in ("crv", "kty", "x", "y")}:
        raise Bad("malformed", "the external account binding is of another URL or key")
    if not hmac.compare_digest(hmac.new(keys[kid], m.signed, MACS[alg]).digest(), m.signature):
        raise Bad("unauthorized", "the external account binding's MAC is wrong")
