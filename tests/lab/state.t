#!/bin/sh
# The state folder under bad luck: disks that fail or fill, limits, damage, clocks, copies, second machines, other users. Whatever happens, no
# key is lost or made twice for one order, nothing is submitted, and the next run goes on.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
person_setup "
[certificate shop]
ca = ecert
product = standard
names = www.example.hk
[certificate idle]
ca = ecert
product = standard
names = shop.example.hk
[ca deaf]
type = manual
resolvers = 192.0.2.9
[certificate unseen]
ca = deaf
product = standard
names = unseen.example.hk"
S=$P/state
"$here/invariants" snapshot "$LAB_DIR/before"

fresh() { chmod -R u+w "$S" 2> /dev/null; rm -rf "$S" "$P/keys"; }
keys() { find "$S/keys" -name '*.key' 2> /dev/null | wc -l; }
run() { # ARGUMENT...: a run as cron starts it; its exit code in $code, its messages in $P/out
    dcv run "$@" > "$P/out" 2>&1
    code=$?
}
among() { for w in $2; do [ "$1" != "$w" ] || return 0; done; echo "$1 is none of $2"; cat "$P/out"; return 1; }
says() { grep -qF -- "$1" "$P/out" || { cat "$P/out"; return 1; }; }
quiet() { [ ! -s "$P/out" ] || { cat "$P/out"; return 1; }; }
sql() { python3 -c 'import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); print(*[r[0] for r in c.execute(sys.argv[2])]); c.commit()' "$S/state.db" "$1"; }
key_fits() { # the one key is the one of the CSR of shop
    dcv csr shop > "$P/csr" && [ "$(openssl req -in "$P/csr" -noout -pubkey)" = "$(openssl pkey -in "$S/keys"/*.key -pubout)" ]
}
later() { DCVAGENT_CLOCK=+1h "$@"; } # when the pause after a failure is over

# --- rows 10, 11: each write fails once ---------------------------------------------------------------------------------------------
for plan in commit:EIO@1 commit:EIO@2 fsync:EIO@1 fsync:EIO@2 fsync:EIO@3 fsync:EIO@4 fsync:EIO@5 fsync:EIO@6 fsync:EIO@7 link:EIO@1 write:EIO@1 \
    write:ENOSPC@1 write:EDQUOT@1 mkdir:EROFS@1 mkdir:ENOSPC@2 getrandom:EIO; do
    fresh
    DCVAGENT_FAIL=$plan run --force shop
    ok "$plan: exit 73 or 74" among "$code" "73 74"
    is "$plan: one line" "$(grep -c . "$P/out")" 1
    made=$(cat "$S/keys"/*.key 2> /dev/null)
    later run --force shop
    is "$plan: the next run gets to the code" "$code $(state_of shop)" "75 prepared code"
    is "$plan: one key" "$(keys)" 1
    [ -z "$made" ] || is "$plan: the key made before is the one used" "$(cat "$S/keys"/*.key)" "$made"
    is "$plan: nothing was sent" "$(sql 'select count(*) from orders where sent')" 0
    ok "$plan: key and CSR fit" key_fits
done

# A full disk, then room again; a disk that is mounted read-only meanwhile.
T=$P/tmpfs
mkdir "$T"
if mount -t tmpfs -o size=64k none "$T" 2> /dev/null && mount -o remount,size=1m "$T" 2> /dev/null; then
    umount "$T"
    for size in 40k 100k 140k 180k 220k; do
        mount -t tmpfs -o size=$size,mode=711 none "$T"
        run --force shop --state-dir "$T"
        ok "disk of $size: exit 73 or 74" among "$code" "73 74"
        ok "disk of $size: says why" says "space"
        before=$(cat "$T/keys"/*.key 2> /dev/null)
        mount -o remount,size=10m "$T"
        later run --force shop --state-dir "$T"
        is "disk of $size: with room it goes on" "$code $(find "$T/keys" -name '*.key' | wc -l)" "75 1"
        [ -z "$before" ] || is "disk of $size: with the same key" "$(cat "$T/keys"/*.key)" "$before"
        DCVAGENT_KILL=2 dcv run --force shop --state-dir "$T" > "$P/out" 2>&1
        told=$(dcv evidence shop --state-dir "$T" | grep -c command)
        ok "a killed run leaves more than the file itself" [ -s "$T/state.db-wal" ]
        mount -o remount,ro "$T"
        run shop --state-dir "$T"
        is "read-only: exit 74" "$code" 74
        ok "read-only: says so" says "read-only"
        ok "read-only: status still tells" dcv status shop --state-dir "$T"
        is "read-only: what the killed run noted is told too" "$(dcv evidence shop --state-dir "$T" | grep -c command)" "$told"
        umount "$T"
    done
else
    umount "$T" 2> /dev/null
    skip "a full disk" "no tmpfs to be mounted and changed here"
fi

# --- row 12: limits ------------------------------------------------------------------------------------------------------------------
for blocks in 1 64 150; do
    fresh
    (ulimit -f $blocks && dcv run --force shop) > "$P/out" 2>&1
    code=$?
    ok "ulimit -f $blocks: exit 73 or 74" among "$code" "73 74"
    later run --force shop
    is "ulimit -f $blocks: the next run goes on" "$code $(keys)" "75 1"
done
for files in 4 6 7 8 9 10 12 14 16; do
    fresh
    (ulimit -n $files && dcv run --force shop) > "$P/out" 2>&1
    code=$?
    ok "ulimit -n $files: 71, or enough" among "$code" "71 75"
    [ "$code" = 75 ] || ok "ulimit -n $files: says so" grep -qE "open files|descriptor" "$P/out"
    later run --force shop
    is "ulimit -n $files: the next run goes on" "$code $(keys)" "75 1"
done
is "16 descriptors are enough for an order" "$(fresh; (ulimit -n 16 && dcv run --force shop) > "$P/out" 2>&1; echo $?)" 75

# --- row 14: wiped --------------------------------------------------------------------------------------------------------------------
fresh
run
is "a wiped state folder: a person starts the first order" "$code $(keys) $(state_of shop)" "75 0 new pin"
run gc
dcv gc --list > "$P/out" 2>&1
is "gc --list: exit 0" "$?" 0

# --- row 15: damage ------------------------------------------------------------------------------------------------------------------
damage() {
    case $1 in
    empty) : > "$S/state.db" ;;
    half) truncate -s 20000 "$S/state.db" ;;
    stump) truncate -s 50 "$S/state.db" ;;
    middle) dd conv=notrunc bs=1000 seek=30 count=9 if=/dev/urandom of="$S/state.db" ;;
    head) dd conv=notrunc bs=1 count=60 if=/dev/urandom of="$S/state.db" ;;
    foreign) printf 'this is no database, but somebody saved it here\n' > "$S/state.db" ;;
    gone) rm "$S/state.db" ;;
    esac 2> /dev/null
}
for kind in empty half stump middle head foreign gone; do
    fresh
    run --force shop
    cp -r "$S/keys" "$P/keys"
    damage $kind
    [ $kind = gone ] || cp "$S/state.db" "$P/damaged"
    run
    is "state.db $kind: exit 74" "$code" 74
    ok "state.db $kind: says so" says "STORE_DAMAGED"
    ok "state.db $kind: the keys stay" diff -r "$P/keys" "$S/keys"
    [ $kind = gone ] || ok "state.db $kind: the file stays" cmp "$P/damaged" "$S/state.db"
    [ $kind = gone ] || ok "state.db $kind: a copy is kept" sh -c "cmp '$P/damaged' '$S'/state.db.damaged-*"
    run
    is "state.db $kind: the second run says the same" "$code" 74
    is "state.db $kind: one copy" "$(ls "$S"/state.db.damaged-* 2> /dev/null | wc -l)" 1
done

# --- row 16: written by a newer version ----------------------------------------------------------------------------------------------
fresh
run --force shop
sql 'pragma user_version = 999' > /dev/null
for c in run status "gc --list" "pin shop --reference 123456789" plan "state backup $P/newer.tar"; do
    # shellcheck disable=SC2086
    dcv $c > "$P/out" 2>&1
    is "newer schema: $c: 74" "$?" 74
    ok "newer schema: $c: says both versions" says "version 999, this program knows up to 1"
done

# --- rows 17, 18, 19: the lock ---------------------------------------------------------------------------------------------------------
fresh
for i in $(seq 20); do
    (dcv run --force shop > "$P/out.$i" 2>&1; echo $? > "$P/code.$i") &
done
wait
is "20 runs at once: all end 75" "$(cat "$P"/code.* | sort | uniq -c | tr -s ' ')" " 20 75"
is "20 runs at once: one order, one key" "$(sql 'select count(*) from orders') $(keys)" "1 1"
is "20 runs at once: one spoke" "$(cat "$P"/out.* | grep -c WAITING_CODE)" 1
cat "$P"/out.* > "$P/all"
is "20 runs at once: nobody else did" "$(grep -vc WAITING_CODE "$P/all")" 0
python3 - "$S/run.lock" "$P/held" <<'PY' &
import fcntl, os, sys, time
f = open(sys.argv[1], "r+")
fcntl.flock(f, fcntl.LOCK_EX)
open(sys.argv[2], "w").close()
while os.path.exists(sys.argv[2]):
    time.sleep(0.05)
PY
eventually 10 test -e "$P/held"
run
is "held: run ends 75" "$code" 75
ok "held: quietly" quiet
for c in gc "forget shop" "txt add www.example.hk x" "state adopt"; do
    # shellcheck disable=SC2086
    dcv $c > "$P/out" 2>&1
    is "held: $c ends 75" "$?" 75
done
for c in status plan "gc --list" "txt list www.example.hk" "evidence shop" calendar metrics; do
    # shellcheck disable=SC2086
    dcv $c > "$P/out" 2>&1
    is "held: $c does not wait" "$?" 0
done
is "held: a hand-over is taken all the same" "$(dcv --json pin shop --reference 123456789 > "$P/out" 2>&1; echo $?)" 0
is "held: and JSON says so" "$(python3 -c 'import json,sys; j = json.load(open(sys.argv[1])); print(j["version"], j["name"], j["handed_over"])' "$P/out")" "1 shop True"
rm "$P/held"
wait
echo "1 1700000000" > "$S/run.lock"
run
is "a stale lock file with the number of a living process" "$code" 75
is "does not stop a run: it took the hand-over" "$(sql "select reference from orders where cert = 'shop'")" 123456789
for c in "run" "pin idle --reference 123456789" "txt add www.example.hk x" gc; do
    # shellcheck disable=SC2086
    DCVAGENT_FAIL=flock:ENOLCK dcv $c > "$P/out" 2>&1
    is "no locks: $c: 74" "$?" 74
    ok "no locks: $c: says so" says "has no locks"
done

# --- row 20: two machines with one name: each removes its own value alone ----------------------------------------------------------------
fresh
txt() { dig +norecurse +short "@$LAB_NAMED" "$1" TXT; }
second() { DCVAGENT_MACHINE_ID=00000000000000000000000000000002 dcv --state-dir "$P/second" "$@" > "$P/out" 2>&1; }
run --force unseen
second run --force unseen
dcv code unseen of-the-first > "$P/out" 2>&1
run unseen --deadline 2s
second code unseen of-the-second
second run unseen --deadline 2s
is "both values stand side by side" "$(txt unseen.example.hk | sort | tr '\n' ' ')" '"of-the-first" "of-the-second" '
second cancel unseen
is "the second takes its own away" "$(txt unseen.example.hk)" '"of-the-first"'

# --- row 22: the clock runs away while something is waited for: deadlines are counted by another one -----------------------------------------
plain=$(dirname "$DCVAGENT")/../dcvagent
if [ -x "$plain" ] && command -v faketime > /dev/null; then
    began=$(date +%s)
    DONT_FAKE_MONOTONIC=1 FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f '+0 x1000' "$plain" --config "$P/dcvagent.ini" run unseen --deadline 3s > "$P/out" 2>&1
    code=$?
    took=$(($(date +%s) - began))
    ok "a clock 1,000 times too fast: the run takes its 3 s ($took s, exit $code)" test "$took" -ge 2 -a "$took" -lt 15
    ok "and waits on" among "$code" "75 12"
else
    skip "a clock that runs away" "needs the plain program and faketime"
fi
dcv cancel unseen > "$P/out" 2>&1
is "and the first its own" "$(txt unseen.example.hk)" ""

# --- row 21: clocks ---------------------------------------------------------------------------------------------------------------------
fresh
ok "an order through to its certificate" person_order shop code-1
for by in +1h -1h -20700d +9000d; do
    DCVAGENT_CLOCK=$by dcv --json status shop > "$P/out" 2>&1
    is "clock $by: status" "$?" 0
    ok "clock $by: its JSON holds" python3 -m json.tool "$P/out"
done
for by in +1h -1h -20700d; do
    DCVAGENT_CLOCK=$by run shop
    is "clock $by: nothing is due" "$code $(sql 'select count(*) from orders') $(keys)" "0 1 1"
done
for by in +1h -1h; do
    DCVAGENT_CLOCK=$by dcv txt add www.example.hk "clock $by" > "$P/out" 2>&1
    ok "clock $by: the server's refusal" among "$?" "11 75"
    ok "clock $by: named as a clock's, with how far it is off" grep -qE "clock is (359[0-9]|360[0-9]) s (ahead of|behind) .*TSIG_BADTIME" "$P/out"
    ok "clock $by: taken back" dcv txt del www.example.hk "clock $by"
done
DCVAGENT_CLOCK=+9000d run shop
ok "after 2038: a certificate that has ended is said to have" says "has ended on"
ok "the order that it began is cancelled" dcv cancel shop

# --- what a killed run left half written -----------------------------------------------------------------------------------------------------
touch -d '2 hours ago' "$P/state/keys/.dcvagent-0123456789abcdef"
touch "$P/state/keys/.dcvagent-fedcba9876543210"
run
is "an old temporary file goes, one that may be in use stays" "$(cd "$P/state/keys" && ls -A | grep -F .dcvagent-)" ".dcvagent-fedcba9876543210"
rm -f "$P/state/keys/.dcvagent-fedcba9876543210"

# --- another machine (this one may have no machine-id at all: it is given one) ---------------------------------------------------------------
DCVAGENT_MACHINE_ID=fedcba9876543210 dcv state adopt > "$P/out" 2>&1
DCVAGENT_MACHINE_ID=0123456789abcdef run
is "another machine: 75" "$code" 75
ok "another machine: says what to do" says "state adopt"
DCVAGENT_MACHINE_ID=0123456789abcdef dcv code shop x > "$P/out" 2>&1
is "another machine: no hand-over either" "$?" 75
ok "another machine: status tells" env DCVAGENT_MACHINE_ID=0123456789abcdef "$DCVAGENT" --config "$P/dcvagent.ini" status
DCVAGENT_MACHINE_ID=0123456789abcdef dcv state adopt > "$P/out" 2>&1
is "state adopt" "$?" 0
DCVAGENT_MACHINE_ID=0123456789abcdef run shop
is "then it runs" "$code" 0
DCVAGENT_MACHINE_ID=fedcba9876543210 run
is "and the old machine no more" "$code" 75
dcv state adopt > "$P/out" 2>&1
run shop
is "adopted back" "$code" 0

# --- backup -----------------------------------------------------------------------------------------------------------------------------
dcv state backup "$P/backup.tar" > "$P/out" 2>&1
is "state backup" "$?" 0
is "0600" "$(stat -c %a "$P/backup.tar")" 600
sum=$(cksum < "$P/backup.tar")
dcv state backup "$P/backup.tar" > "$P/out" 2>&1
is "never over a file: 73" "$?" 73
is "which stays" "$(cksum < "$P/backup.tar")" "$sum"
mkdir -m 711 "$P/restored"
ok "tar unpacks it" tar -C "$P/restored" -xpf "$P/backup.tar"
ok "with the keys" diff -r "$S/keys" "$P/restored/keys"
ok "and the certificates" diff -r "$S/archive" "$P/restored/archive"
is "and the link" "$(readlink "$P/restored/live/shop")" "../archive/shop/1"
is "modes" "$(cd "$P/restored" && stat -c %a state.db keys keys/*.key archive/shop/1/privkey.pem | sort -u | tr '\n' ' ')" "600 700 "
is "the same status from the copy" "$(dcv --json status --state-dir "$P/restored")" "$(dcv --json status)"
run shop --state-dir "$P/restored"
is "the copy runs" "$code" 0
dcv state backup "$P/nowhere/x.tar" > "$P/out" 2>&1
is "no folder for it: 73" "$?" 73

# --- row 25: memory ---------------------------------------------------------------------------------------------------------------------
[ -x "$plain" ] || plain=$DCVAGENT
if nm -D "$plain" 2> /dev/null | grep -q __asan; then
    skip "little memory" "the plain program is not built; the test build reserves terabytes"
else
    fresh
    for i in $(seq 20); do
        printf '[certificate m%s]\nca = ecert\nproduct = multi-domain\nkey_type = p256\nnames =\n' "$i"
        for k in $(seq 50); do echo "    n$k-$i.example.hk"; done
    done > "$P/conf.d/many.ini"
    for kb in 20000 32000 48000 64000 160000; do
        fresh
        (ulimit -v $kb && exec "$plain" --config "$P/dcvagent.ini" run --force --all) > "$P/out" 2>&1
        code=$?
        ok "$kb KB of memory, 1,000 names: done, or 71 ($code)" among "$code" "71 75 127"
        run
        ok "$kb KB: the next run goes on ($code)" among "$code" "71 75" # 71: with all but the one whose key could not be made
    done
    is "all of it is there" "$(dcv --json status | python3 -c 'import json,sys; print(sum(len(c["names"]) for c in json.load(sys.stdin)["certificates"]))')" 1003
    rm "$P/conf.d/many.ini"
fi

# --- started as root, state of another user ----------------------------------------------------------------------------------------------
fresh
mkdir -m 711 "$S"
if [ "$(id -u)" = 0 ] && chown 12345:12345 "$S" 2> /dev/null; then
    cat > "$P/notify" <<'SH'
#!/bin/sh
id -u > "${0%/*}/notified"
SH
    chmod 755 "$P/notify"
    mkdir -p "$P/hooks"
    mv "$P/notify" "$P/hooks/notify"
    chown -R 12345 "$P/hooks" "$P/log"
    printf '[agent]\nnotify_hook = %s/hooks/notify\n' "$P" > "$P/conf.d/agent.ini"
    sed -i '/^include/i notify_hook = '"$P"'/hooks/notify' "$P/dcvagent.ini"
    rm "$P/conf.d/agent.ini"
    chmod 755 "$P" "$P/conf.d" "$P/pki" "$LAB_KEYS"
    run
    ok "a key file of root's is judged for that user" among "$code" "77 78"
    ok "and named, with the user who may not read it" says "lab-key.key: Permission denied for the user 12345"
    cp "$LAB_KEYS/lab-key.key" "$P/own.key"
    chown 12345 "$P/own.key"
    sed -i "s|^tsig_key_file.*|tsig_key_file = $P/own.key|" "$P/dcvagent.ini"
    run --force shop
    is "it goes on as that user" "$code $(state_of shop)" "75 prepared code"
    is "all files are that user's" "$(find "$S" ! -uid 12345)" ""
    is "the hook ran as that user" "$(cat "$P/hooks/notified")" 12345
    sed -i "s|^log = .*|log = $P/nowhere.log|" "$P/dcvagent.ini"
    run
    is "a log file where that user may not write: 73" "$code" 73
    ok "and who it is" says "nowhere.log: Permission denied for the user 12345"
else
    skip "state of another user" "no other user to be had here"
fi
ok "DNS as it was" "$here/invariants" check "$LAB_DIR/before" /nonexistent
done_testing
