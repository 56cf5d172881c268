#!/bin/sh
# Certificates that were in use before dcvagent was: taken over whole or not at all, wherever it is killed; forgotten the same way; and keys that prune
# leaves alone.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound -- "$0"
fi
. "$here/tap.sh"
. "$here/person.sh"
export DCVAGENT="${DCVAGENT:-./build/dcvagent}"
section() { printf '[certificate %s]\nca = ecert\nproduct = standard\nnames = %s.example.hk\n%s\n' "$1" "$1" "${2:-}"; }
person_setup "$(section shop 'key_reuse = yes')
$(section other)"
S=$P/state
try() {
    dcv "$@" > "$P/out" 2>&1 < /dev/null
    code=$?
    cat "$P/out" >> "$P/said"
}
says() { grep -qF -- "$1" "$P/out" || { cat "$P/out"; return 1; }; }
public() { openssl pkey -in "$1" -pubout 2> /dev/null; }
given() { # NAME: $P/NAME.key and $P/NAME.crt as another tool left them
    (umask 077 && openssl ecparam -name prime256v1 -genkey -noout -out "$P/$1.key") &&
        openssl req -new -key "$P/$1.key" -subj "/CN=$1.example.hk" -out "$P/$1.csr" &&
        "$here/pki" issue "$P/pki" "$P/$1.csr" "$P/$1.crt" 199 "$1.example.hk"
}
whole() { # NAME: what live/NAME shows fits, and every key that was ever taken is the one that was given
    [ "$(public "$S/live/$1/privkey.pem")" = "$(public "$P/$1.key")" ] &&
        [ "$(openssl x509 -in "$S/live/$1/cert.pem" -noout -pubkey)" = "$(public "$P/$1.key")" ] || return 1
    for k in "$S"/keys/*.key; do [ "$(public "$k")" = "$(public "$P/$1.key")" ] || return 1; done
}
given shop
given other

# --- what is refused ---------------------------------------------------------------------------------------------------------------------
try import shop "$P/shop.crt" --key "$P/other.key"
is "another key: refused" "$code" 14
try import shop "$P/other.crt" --key "$P/other.key"
is "other names: refused" "$code" 14
chmod 644 "$P/shop.key"
try import shop "$P/shop.crt" --key "$P/shop.key"
is "a key that all can read: 77" "$code" 77
chmod 600 "$P/shop.key"
ok "nothing is there" sh -c "! ls '$S/keys'/*.key '$S/live/shop' 2> /dev/null"
try csr other
try import other "$P/other.crt" --key "$P/other.key"
is "with an order open: refused" "$code" 2
ok "and why" says ORDER_OPEN
try cancel other
rm -f "$S"/keys/*

# --- killed anywhere, then once more -----------------------------------------------------------------------------------------------------
killed=0
while [ "$killed" -lt 60 ]; do
    DCVAGENT_KILL=$((killed + 1)) try import shop "$P/shop.crt" --key "$P/shop.key"
    [ "$code" -ge 128 ] || break
    [ ! -e "$S/live/shop" ] || whole shop || break
    killed=$((killed + 1))
done
is "killed at $killed points: then it is adopted" "$code" 0
ok "there were some" test "$killed" -ge 4
ok "one set, whole" whole shop
ok "status promises no first order" eval '! dcv status shop | grep "first order"'
is "and one alone" "$(ls "$S/archive/shop" | grep -c '^[0-9]*$')" 1
try run shop
is "nothing is due" "$code $(cat "$P/out")" "0 "

# --- its key is the one that key_reuse keeps ---------------------------------------------------------------------------------------------
try csr shop
is "key_reuse: the CSR is of the adopted key" "$(openssl req -in "$P/out" -noout -pubkey)" "$(public "$P/shop.key")"
try run shop
is "a CSR asked for early orders nothing" "$code $(cat "$P/out") $(state_of shop)" "0  new None"

# --- prune: keys in use and of open orders stay; what goes is moved, not deleted ---------------------------------------------------------
try csr other
lost=$(ls -t "$S/keys" | head -n 1)
cp "$S/keys/$lost" "$P/kept"
try cancel other
try csr other
pending=$(ls -t "$S/keys" | head -n 1)
find "$S/keys" "$S/archive" -exec touch -d '500 days ago' {} +
try prune --yes
is "prune" "$code" 0
ok "the live set stays" test -e "$S/live/shop/privkey.pem"
is "the open order's key too" "$(ls "$S/keys/$pending")" "$S/keys/$pending"
is "keys of the live set too" "$(for k in "$S"/keys/*.key; do public "$k"; done | grep -c "$(public "$P/shop.key" | sed -n 2p)")" \
    "$(ls "$S"/keys/*.key | grep -vc "$pending")"
ok "the cancelled order's key was moved, not lost" cmp "$P/kept" "$S/pruned/keys/$lost"

# --- forgotten: killed anywhere, then once more ------------------------------------------------------------------------------------------
keys=$(ls "$S/keys")
section other > "$P/conf.d/test.ini"
killed=0
while [ "$killed" -lt 60 ]; do
    DCVAGENT_KILL=$((killed + 1)) try forget shop
    [ "$code" -ge 128 ] || break
    killed=$((killed + 1))
done
is "forget, killed at $killed points: then it is forgotten" "$code" 0
ok "there were some" test "$killed" -ge 3
ok "nothing is live" test ! -e "$S/live/shop"
is "its archive is put aside whole" "$(public "$S"/forgotten/shop-*/archive/1/privkey.pem)" "$(public "$P/shop.key")"
is "its keys stay" "$(ls "$S/keys")" "$keys"
try run
ok "the next run knows nothing of it" sh -c "! grep -q shop '$P/out'"
done_testing
