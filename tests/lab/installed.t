#!/bin/sh
# make install and uninstall: the installed program works by itself, with the descriptions that came with it; a folder of one's own comes first.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" -- "$0"
fi
. "$here/tap.sh"
root=$LAB_DIR/installed
quiet_make() { env -u MAKEFLAGS make --no-print-directory BUILD="${BUILD:-build}" PREFIX=/usr/local DESTDIR="$root" "$@"; }

ok "make install" quiet_make install
agent=$root/usr/local/sbin/dcvagent
data=$root/usr/local/share/dcvagent
ok "the program" test -x "$agent"
ok "manual pages" test -s "$root/usr/local/share/man/man8/dcvagent.8" -a -s "$root/usr/local/share/man/man5/dcvagent.ini.5"
ok "examples" test -s "$root/usr/local/share/doc/dcvagent/examples/dcvagent.ini"
is "every description, as it stands in conf/" "$(cd conf 2> /dev/null && find . -type f | sort)" "$(cd "$data" 2> /dev/null && find . -type f | sort)"

# The data folder is a path in the program: for this test it lies where it says, in this lab's own view of the file system.
if mkdir -p /usr/local/share && mount -t tmpfs -o mode=755 tmpfs /usr/local/share 2> /dev/null; then
    mkdir -p /usr/local/share/dcvagent/providers "$LAB_DIR/own/providers"
    cp -r "$data/." /usr/local/share/dcvagent/ 2> /dev/null
    chmod -R go-w /usr/local/share/dcvagent
    types() { env -C / "$agent" "$@" providers | awk '$3 == "description" { print $1 }'; }
    is "it finds the installed descriptions" "$(types)" "$(cd conf/providers && ls -- *.ini 2> /dev/null | sed 's/\.ini$//')"
    for type in $(types); do
        ok "providers $type" env -C / "$agent" providers "$type"
        ok "the manual names $type" grep -q "^\.It Cm $type$" "$root/usr/local/share/man/man5/dcvagent.ini.5"
    done
    printf '[nonsense]\n' > "$LAB_DIR/own/providers/mine.ini"
    printf '[nonsense]\n' > "$LAB_DIR/own/providers/loose.ini"
    chmod 666 "$LAB_DIR/own/providers/loose.ini"
    cat > "$LAB_DIR/own.ini" <<INI
[provider mine]
type = mine
zones = example.hk
[provider loose]
type = loose
zones = example.com
[provider unknown]
type = min
zones = example.net
[agent]
conf_path = $LAB_DIR/own
INI
    own() { "$agent" --config "$LAB_DIR/own.ini" "$@"; }
    own config check > "$LAB_DIR/out" 2>&1
    is "a description of one's own: its faults, 78" "$?" 78
    ok "with file and line" grep -q "^$LAB_DIR/own/providers/mine.ini:1: nonsense: " "$LAB_DIR/out"
    ok "one that others can write is not believed" grep -q "^$LAB_DIR/own/providers/loose.ini: .*chmod" "$LAB_DIR/out"
    ok "did you mean" grep -q "^$LAB_DIR/own.ini:8: provider unknown: type: .*did you mean mine?" "$LAB_DIR/out"
    own providers > "$LAB_DIR/out" 2>&1
    is "providers lists what there is" "$(awk '$1 == "mine" || $1 == "loose" || $1 == "rfc2136" { print $1 }' "$LAB_DIR/out" | sort | tr '\n' ' ')" \
        "loose mine rfc2136 "
    own providers mine > "$LAB_DIR/out" 2>&1
    is "providers mine: its faults, 78" "$?" 78
    own providers minee > "$LAB_DIR/out" 2>&1
    is "providers minee: 2" "$?" 2
    ok "did you mean mine" grep -q "did you mean mine" "$LAB_DIR/out"
    own providers --json > "$LAB_DIR/out"
    ok "providers --json" python3 -c 'import json, sys; j = json.load(open(sys.argv[1])); assert [p for p in j["providers"] if p["type"] == "rfc2136" and not p["described"]]' \
        "$LAB_DIR/out"
else
    skip "the installed program and its descriptions" "no file system can be mounted here"
fi

ok "make uninstall" quiet_make uninstall
is "nothing stays" "$(find "$root" -type f)" ""
done_testing
