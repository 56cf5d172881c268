# Sourced after dns.sh by the tests of the doctor.
#   cert NAME HOSTS [LINE]...       a certificate with a CA of its own; lines of the CA, and after -- lines of the certificate
#   look EXIT [NAME]...             runs the doctor; what it found is kept
#   finds SEVERITY CODE PATTERN     found, with this host, cause and remedy: "HOST: CAUSE -> REMEDY"
#   lacks_code CODE
cert() {
    printf '[ca %s]\ntype = manual\nrecord = %s\n' "$1" "${RECORD:-name}"
    cert_name=$1 cert_hosts=$2
    shift 2
    while [ $# -gt 0 ] && [ "$1" != -- ]; do printf '%s\n' "$1" && shift; done
    [ $# = 0 ] || shift
    product=multi-domain
    case $cert_hosts in \**) product=wildcard ;; esac
    printf '[certificate %s]\nca = %s\nproduct = %s\nkey_type = p256\nnames = %s\n' "$cert_name" "$cert_name" "$product" "$cert_hosts"
    for line in "$@"; do printf '%s\n' "$line"; done
}
look() {
    wanted=$1
    shift
    dcv --json doctor "$@" > "$P/doctor.json" 2> "$P/doctor.err"
    got=$?
    # Each finding on a line; all are known to docs/DOCTOR.md, and what is bad has a remedy.
    python3 - "$P/doctor.json" "$here/../../docs/DOCTOR.md" > "$P/doctor" <<'END' || { cat "$P/doctor" "$P/doctor.err"; return 1; }
import json, re, sys
known = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| ([a-z, ]+) \|", open(sys.argv[2], encoding="utf-8").read(), re.M))
bad = 0
for f in json.load(open(sys.argv[1], encoding="utf-8"))["findings"]:
    print(f["severity"], f["code"], f'{f["cert"] or "-"} {f["host"] or "-"}: {f["cause"]} -> {f["remedy"]}')
    if f["severity"] not in known.get(f["code"], "") or (f["severity"] in ("warning", "error") and not f["remedy"]):
        print("docs/DOCTOR.md does not know this, or it has no remedy")
        bad = 1
sys.exit(bad)
END
    [ "$got" = "$wanted" ] && return
    echo "exit $got, wanted $wanted"
    cat "$P/doctor" "$P/doctor.err"
    return 1
}
finds() {
    grep -E "^$1 $2 " "$P/doctor" | grep -qE -e "$3" && return
    echo "no $1 $2 like: $3"
    cat "$P/doctor"
    return 1
}
lacks_code() { ! grep -E "^[a-z]+ $1 " "$P/doctor"; }
