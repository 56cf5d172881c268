"""Zone contents of the lab. NS sets follow the parts that were asked for, so that every delegation is true."""

NS_HOSTS = {  # server name -> part that answers there
    "ns1.example.hk.": "named",
    "ns2.example.hk.": "named2",
    "ns3.example.hk.": "nsd",
    "ns4.example.hk.": "knot2",
}
IDN = "xn--i8s431aqn1ad1j.hk"  # 電子核證.hk
PRIMARY_ZONES = ["example.hk", "corp.example.hk", IDN, "example.com"]
ACME_HOST = "acme.provider.example"  # acme_server.py
PORTAL_HOSTS = ["www.ecert", "www1.ecert", "portal.harbour"]  # below test
TLDS = ["hk", "com", "net", "org", "test", "example"]


def soa(zone, mname, minimum, refresh):
    return f"$ORIGIN {zone}.\n$TTL 300\n@ {max(300, minimum)} IN SOA {mname} hostmaster.example.hk. 1 {refresh} 2 1209600 {minimum}\n"


def ns_lines(lab, indent="@"):
    return "".join(f"{indent} 300 IN NS {host}\n" for host, part in NS_HOSTS.items() if lab.in_delegation(part))


def addresses(lab, owner, part):
    text = f"{owner} 300 IN A {lab.address(part)}\n"
    if lab.ipv6:
        text += f"{owner} 300 IN AAAA {lab.address6(part)}\n"
    return text


def example_hk(lab):
    text = soa("example.hk", "ns1.example.hk.", 5, lab.refresh) + ns_lines(lab)
    for host, part in NS_HOSTS.items():
        if lab.in_delegation(part):
            text += addresses(lab, host, part)
    text += """
@ 86400 IN TXT "v=spf1 mx include:_spf.example.com -all"
@ 300 IN MX 10 mail
@ 300 IN A 192.0.2.80
_dmarc 3600 IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.hk"
www 300 IN A 192.0.2.80
www 300 IN AAAA 2001:db8:2::80
mail 300 IN A 192.0.2.25
shop 300 IN A 192.0.2.80
cdn 300 IN CNAME edge.example.com.
alias 300 IN CNAME target.example.net.
foreign 300 IN CNAME x.provider.example.
loop1 300 IN CNAME loop2
loop2 300 IN CNAME loop1
dangling 300 IN CNAME nothing.example.com.
*.wild 300 IN A 192.0.2.81
odd 600 IN TXT "first string" "second; string" "quote \\" backslash \\\\ octets \\000\\127\\200\\255"
odd 600 IN TXT ""
a.b.deep 300 IN A 192.0.2.82
caa 300 IN CAA 0 issue "other.example"
caa 300 IN A 192.0.2.83
"""
    return text + corp_cut(lab)


def corp_cut(lab):
    return "corp 300 IN NS ns1.corp\n" + addresses(lab, "ns1.corp", "named")


def corp(lab):
    return (soa("corp.example.hk", "ns1.corp.example.hk.", 5, lab.refresh) + "@ 300 IN NS ns1\n" + addresses(lab, "ns1", "named")
            + "@ 300 IN TXT \"corp apex\"\nwww 300 IN A 192.0.2.84\n")


def idn(lab):
    return soa(IDN, "ns1.example.hk.", 5, lab.refresh) + ns_lines(lab) + "www 300 IN A 192.0.2.85\n@ 3600 IN TXT \"v=spf1 -all\"\n"


def example_com(lab):
    # The one zone whose negative answers live long.
    return (soa("example.com", "ns1.example.hk.", 3600, lab.refresh) + ns_lines(lab)
            + "edge 300 IN A 192.0.2.86\nwww 300 IN A 192.0.2.86\n@ 86400 IN TXT \"v=spf1 -all\"\n")


def generated(lab, zone):
    return soa(zone, "ns1.example.hk.", 5, lab.refresh) + ns_lines(lab) + "www 300 IN A 192.0.2.87\n@ 3600 IN TXT \"v=spf1 -all\"\n"


def primary(lab, zone):
    made = {"example.hk": example_hk, "corp.example.hk": corp, IDN: idn, "example.com": example_com}
    return made[zone](lab) if zone in made else generated(lab, zone)


def single(lab, zone, part):
    """A zone with one server of its own: example.net on knotd, example.org on pdns_server."""
    return (soa(zone, f"ns1.{zone}.", 5, 3600) + "@ 300 IN NS ns1\n" + addresses(lab, "ns1", part)
            + "@ 86400 IN TXT \"v=spf1 -all\"\nwww 300 IN A 192.0.2.88\n_dmarc 3600 IN TXT \"v=DMARC1; p=none\"\n"
            + ("target 300 IN A 192.0.2.89\n" if zone == "example.net" else ""))


def provider_example(lab):
    return (soa("provider.example", "ns.provider.example.", 5, 3600) + "@ 300 IN NS ns\n" + addresses(lab, "ns", "tld")
            + "x 300 IN A 192.0.2.90\nx 300 IN TXT \"not ours\"\n" + f"{ACME_HOST}. 300 IN A {lab.address('acme')}\n")


def root(lab):
    text = "$TTL 3600\n. IN SOA a.root. hostmaster.root. 1 3600 600 86400 5\n. IN NS a.root.\n" + addresses(lab, "a.root.", "root")
    for tld in TLDS:
        text += f"{tld}. IN NS a.nic.{tld}.\n" + addresses(lab, f"a.nic.{tld}.", "tld")
    return text


def tld(lab, name):
    text = soa(name, f"a.nic.{name}.", 5, 3600) + f"@ IN NS a.nic.{name}.\n" + addresses(lab, f"a.nic.{name}.", "tld")
    for zone in lab.primary_zones:
        if zone.rsplit(".", 1)[1] == name and zone != "corp.example.hk":
            text += ns_lines(lab, zone + ".")
    if name == "hk":
        for host, part in NS_HOSTS.items():
            if lab.in_delegation(part):
                text += addresses(lab, host, part)
    for zone, part in lab.single_zones():
        if zone.rsplit(".", 1)[1] == name:
            text += f"{zone}. IN NS ns1.{zone}.\n" + addresses(lab, f"ns1.{zone}.", part)
    if name == "test" and "pebble" in lab.running:
        text += f"pebble.lab IN A {lab.address('pebble')}\n"
    if name == "test" and "portal" in lab.running:
        text += "".join(f"{host} IN A {lab.address('portal')}\n" for host in PORTAL_HOSTS) + "evil.ecert IN A 198.51.100.9\n"
    if name == "example":
        text += "provider IN NS ns.provider.example.\n" + addresses(lab, "ns.provider.example.", "tld")
    return text
