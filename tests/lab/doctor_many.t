#!/bin/sh
# The doctor for 100 names in 10 zones: each question asked once, whoever needs the answer, within 8 round trips to the slow server of all of them.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound zones=10 -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
. "$here/dns.sh"
. "$here/doctor.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
trip=500 # ms
chaos slow 192.0.2.80 "$LAB_NAMED" delay=$trip tcp=no
chaos resolver 192.0.2.81 "$LAB_UNBOUND" delay=$trip "log=$LAB_DIR/resolved"
chaos fast 192.0.2.82 "$LAB_NAMED" tcp=no "log=$LAB_DIR/asked"
hosts() { for zone in 1 2 3 4 5 6 7 8 9 10; do for host in "$@"; do printf 'w%s.z%s.test ' "$host" "$zone"; done; done; }
zones=$(for zone in 1 2 3 4 5 6 7 8 9 10; do printf 'z%s.test ' $zone; done)
person_setup "
$(RECORD=_acme-challenge cert first "$(hosts 1 2 3 4 5)" 'resolvers = 192.0.2.81')
$(RECORD=_acme-challenge cert second "$(hosts 6 7 8 9 10)" 'resolvers = 192.0.2.81')
$(for zone in $zones; do printf '[zone %s]\nservers = 192.0.2.80\n' "$zone"; done)
"
sed -i "s/^zones = .*/zones = $zones/" "$P/dcvagent.ini"
began=$(date +%s%N)
ok "100 names: nothing bad" look 0
took=$((($(date +%s%N) - began) / 1000000))
ok "within 8 round trips ($took ms, $trip ms each)" [ "$took" -lt $((8 * trip)) ]
is "all of them were looked at" "$(grep -c ' CAA_NONE ' "$P/doctor")" 100
# Of a server that answers at once, so that nothing is sent again.
sed -i 's/^servers = 192.0.2.80/servers = 192.0.2.82/' "$P/conf.d/test.ini"
ok "once more" look 0
# The SOA of a zone is asked twice: by the walk, and with DNSSEC by the survey.
is "each question once" "$(awk '$3 != 6' "$LAB_DIR/asked" | sort | uniq -d)$(sort "$LAB_DIR/asked" | uniq -c | awk '$1 > 2')" ""
is "resolvers are asked about zones alone" "$(cut -d ' ' -f 2 "$LAB_DIR/resolved" | grep -v -e '^$' -e '^z[0-9]*\.test$' | sort -u)" ""
done_testing
