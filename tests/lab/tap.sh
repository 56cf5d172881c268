# Sourced by *.t: TAP from shell. `ok "what" COMMAND...` runs the command; its output becomes the diagnosis if it fails.
TAP_N=0
TAP_BAD=0
ok() {
    TAP_N=$((TAP_N + 1))
    tap_what=$1
    shift
    if tap_out=$("$@" 2>&1); then
        echo "ok $TAP_N - $tap_what"
    else
        tap_code=$?
        TAP_BAD=1
        echo "not ok $TAP_N - $tap_what"
        printf '%s\n' "exit code $tap_code, command: $*" "$tap_out" | sed 's/^/# /'
    fi
}
is() { # is WHAT GOT WANTED
    TAP_N=$((TAP_N + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $TAP_N - $1"
    else
        TAP_BAD=1
        echo "not ok $TAP_N - $1"
        printf 'got:    %s\nwanted: %s\n' "$2" "$3" | sed 's/^/# /'
    fi
}
skip() {
    TAP_N=$((TAP_N + 1))
    echo "ok $TAP_N - $1 # SKIP $2"
}
# eventually SECONDS COMMAND...: repeats until it succeeds.
eventually() {
    tap_end=$(($(date +%s) + $1))
    shift
    until "$@"; do
        [ "$(date +%s)" -lt "$tap_end" ] || return 1
        sleep 0.1
    done
}
# tried LABEL COMMAND...: a program that prints TAP itself; its points become ours. A crash or a missing plan is one more, failed.
tried() {
    tap_label=$1
    shift
    tap_out=$("$@" 2>&1)
    tap_code=$?
    tap_points=$(printf '%s\n' "$tap_out" | grep -cE '^(not )?ok ')
    printf '%s\n' "$tap_out" | awk -v n="$TAP_N" -v label="$tap_label" '
        /^(not )?ok / { n++; word = /^not/ ? "not ok" : "ok"; sub(/^(not )?ok [0-9]* ?-? ?/, ""); print word, n, "- " label ": " $0; next }
        /^1\.\./ { next }
        { print (/^#/ ? "" : "# ") $0 }'
    TAP_N=$((TAP_N + tap_points))
    case $tap_out in *"not ok "*) TAP_BAD=1 ;; esac
    is "$tap_label: ends well" "$([ "$tap_code" -le 1 ] && printf '%s\n' "$tap_out" | grep -E '^1\.\.[0-9]')" "1..$tap_points"
}
done_testing() {
    echo "1..$TAP_N"
    exit "$TAP_BAD"
}
