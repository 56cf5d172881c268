#!/usr/bin/python3 -B
"""Route 53 as its API reference describes it: ListHostedZonesByName, ListResourceRecordSets, ChangeResourceRecordSets, GetChange.

Signatures are checked by an implementation of its own, from "Create a signed request" of the IAM User Guide.
Switches: zones (list of [id, name, private]), pending (polls before INSYNC), page (sets a page), token (session token that is wanted).
"""
import hashlib
import hmac
import re
import xml.etree.ElementTree as tree
from urllib.parse import parse_qsl, quote, urlsplit
from xml.sax.saxutils import escape

import cloud

KEY, SECRET, REGION = "AKIDEXAMPLE", "s3cr3t+UtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "us-east-1"
SPACE = "https://route53.amazonaws.com/doc/2013-04-01/"
HEAD = '<?xml version="1.0"?>\n'


def error(status, code, message):
    raise cloud.Answer(status, f'{HEAD}<ErrorResponse xmlns="{SPACE}"><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message>'
                               "</Error><RequestId>b25f48e8-84fd-11e6-80d9-574e0c4664cb</RequestId></ErrorResponse>")


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signature(request, names, when, scope):
    parts = urlsplit(request.target)
    query = sorted((quote(k, safe="-_.~"), quote(v, safe="-_.~")) for k, v in parse_qsl(parts.query, keep_blank_values=True))
    lines = [request.method, quote(parts.path, safe="/-_.~"), "&".join("=".join(p) for p in query)]
    lines += [f"{n}:{' '.join(request.headers[n].split())}" for n in names]
    lines += ["", ";".join(names), hashlib.sha256(request.body).hexdigest()]
    text = "\n".join(["AWS4-HMAC-SHA256", when, "/".join(scope), hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    key = ("AWS4" + SECRET).encode()
    for part in scope:
        key = mac(key, part)
    return mac(key, text).hex()


def tag(name):
    return f"{{{SPACE}}}{name}"


class Route53(cloud.Cloud):
    def __init__(self):
        super().__init__()
        self.switch = {"zones": [["Z111", "example.hk.", False]], "pending": 0, "page": 100, "token": None}
        self.changes = {}

    def authenticate(self, r):
        m = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=(\S+?)/(\d{8})/(\S+?)/(\S+?)/aws4_request, SignedHeaders=(\S+), Signature=([0-9a-f]{64})",
                         r.headers.get("Authorization", ""))
        if not m:
            error(403, "MissingAuthenticationToken", "Missing Authentication Token")
        names = m.group(5).split(";")
        wanted = {"host"} | {n.lower() for n in r.headers if n.lower().startswith("x-amz-")}
        if names != sorted(names) or not wanted <= set(names):
            error(403, "InvalidSignatureException", "headers that must be signed are not")
        if m.group(1) != KEY:
            error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        if r.headers.get("X-Amz-Security-Token") != self.switch["token"]:
            error(403, "ExpiredToken", "The security token included in the request is expired")
        scope = [m.group(2), m.group(3), m.group(4), "aws4_request"]
        if scope[1:3] != [REGION, "route53"] or signature(r, names, r.headers["X-Amz-Date"], scope) != m.group(6):
            error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. "
                                                "Check your AWS Secret Access Key and signing method.")

    def zones(self, r):
        name = r.query.get("dnsname", "") + "."
        rows = "".join(f"<HostedZone><Id>/hostedzone/{i}</Id><Name>{n}</Name><CallerReference>x &amp; y</CallerReference><Config><PrivateZone>"
                       f"{'true' if p else 'false'}</PrivateZone></Config><ResourceRecordSetCount>3</ResourceRecordSetCount></HostedZone>"
                       for i, n, p in self.switch["zones"] if n >= name)
        return 200, (f'{HEAD}<ListHostedZonesByNameResponse xmlns="{SPACE}"><HostedZones>{rows}</HostedZones><DNSName>{name}</DNSName>'
                     "<IsTruncated>false</IsTruncated><MaxItems>100</MaxItems></ListHostedZonesByNameResponse>"), {}

    @staticmethod
    def place(owner, kind):
        """Order of the list: labels from the right, then the type."""
        return [label.replace("*", "\\052") for label in reversed(owner.rstrip(".").split("."))], kind

    def listing(self, r):
        start = self.place(r.query["name"].replace("\\052", "*"), r.query.get("type", ""))
        rows = sorted(self.sets, key=lambda k: self.place(*k))
        rows = [k for k in rows if self.place(*k) >= start]
        page, rest = rows[:self.switch["page"]], rows[self.switch["page"]:]
        text = ""
        for owner, kind in page:
            s = self.sets[owner, kind]
            values = "".join(f"<ResourceRecord><Value>{escape(v)}</Value></ResourceRecord>" for v in s["values"])
            policy = f"<SetIdentifier>{s['policy']}</SetIdentifier><Weight>1</Weight>" if "policy" in s else ""
            text += (f"<ResourceRecordSet><Name>{owner.replace('*', chr(92) + '052')}.</Name><Type>{kind}</Type>{policy}<TTL>{s['ttl']}</TTL>"
                     f"<ResourceRecords>{values}</ResourceRecords></ResourceRecordSet>")
        more = ""
        if rest:
            more = f"<NextRecordName>{rest[0][0].replace('*', chr(92) + '052')}.</NextRecordName><NextRecordType>{rest[0][1]}</NextRecordType>"
        return 200, (f'{HEAD}<ListResourceRecordSetsResponse xmlns="{SPACE}"><!-- sets --><ResourceRecordSets>{text}</ResourceRecordSets><IsTruncated>'
                     f"{'true' if rest else 'false'}</IsTruncated>{more}<MaxItems>100</MaxItems></ListResourceRecordSetsResponse>"), {}

    def change(self, r):
        new, faults = dict(self.sets), []
        root = tree.fromstring(r.body)
        items = root.findall("/".join(tag(n) for n in (".", "ChangeBatch", "Changes", "Change")).replace(tag("."), "."))
        if root.tag != tag("ChangeResourceRecordSetsRequest") or not items:
            error(400, "InvalidInput", "1 validation error detected")
        for c in items:
            s = c.find(tag("ResourceRecordSet"))
            owner = s.findtext(tag("Name")).rstrip(".").replace("\\052", "*")
            kind, ttl = s.findtext(tag("Type")), int(s.findtext(tag("TTL")))
            values = [v.text for v in s.iter(tag("Value"))]
            action = c.findtext(tag("Action"))
            said = f"[name='{owner}.', type='{kind}']"
            bad = [v for v in values if not re.fullmatch(r'"([^"\\]|\\.)*"( +"([^"\\]|\\.)*")*', v)]
            if bad or any(len(x) > 255 for v in values for x in re.findall(r'"((?:[^"\\]|\\.)*)"', v)):
                faults.append(f"Invalid Resource Record: FATAL problem: InvalidCharacterString (Value should be enclosed in quotation marks) {said}")
            elif not owner.endswith("example.hk"):
                faults.append(f"RRSet with DNS name {owner}. is not permitted in zone example.hk.")
            elif action == "DELETE":
                had = new.get((owner, kind))
                if not had:
                    faults.append(f"Tried to delete resource record set {said} but it was not found")
                elif had["ttl"] != ttl or sorted(had["values"]) != sorted(values):
                    faults.append(f"Tried to delete resource record set {said} but the values provided do not match the current values")
                else:
                    del new[owner, kind]
            elif action == "CREATE" and (owner, kind) in new:
                faults.append(f"Tried to create resource record set {said} but it already exists")
            else:
                new[owner, kind] = {"ttl": ttl, "values": values}
        if faults and self.switch.get("old form"):
            raise cloud.Answer(400, f'{HEAD}<InvalidChangeBatch xmlns="{SPACE}"><Messages>'
                                    f"{''.join(f'<Message>{escape(f)}</Message>' for f in faults)}</Messages></InvalidChangeBatch>")
        if faults:
            error(400, "InvalidChangeBatch", f"[{', '.join(faults)}]")
        self.sets = new
        name = f"C{len(self.changes) + 1}"
        self.changes[name] = self.switch["pending"]
        return self.state("ChangeResourceRecordSetsResponse", name)

    def state(self, document, name):
        if name not in self.changes:
            error(404, "NoSuchChange", "no such change")
        status = "PENDING" if self.changes[name] > 0 else "INSYNC"
        return 200, (f'{HEAD}<{document} xmlns="{SPACE}"><ChangeInfo><Id>/change/{name}</Id><Status>{status}</Status>'
                     f"<SubmittedAt>2027-01-15T08:00:00Z</SubmittedAt></ChangeInfo></{document}>"), {}

    def answer(self, r):
        self.authenticate(r)
        if r.method == "GET" and r.path == "/2013-04-01/hostedzonesbyname":
            return self.zones(r)
        if r.path.startswith("/2013-04-01/hostedzone/Z111/rrset"):
            return self.listing(r) if r.method == "GET" else self.change(r)
        if r.method == "GET" and r.path.startswith("/2013-04-01/change/"):
            name = r.path.rpartition("/")[2]
            result = self.state("GetChangeResponse", name)
            self.changes[name] -= 1
            return result
        return error(404, "NoSuchHostedZone", "No hosted zone found")


cloud.serve(Route53())
