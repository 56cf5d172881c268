# Sourced by the tests of method = website, after person.sh: $W, the folder of the web servers; FILE; edge.example.com, a CDN's name at 192.0.2.81.
#   section NAME NAMES PRODUCT LINE...   a certificate section
W=$LAB_DIR/web
FILE=.well-known/pki-validation/fileauth.txt
nsupdate -k "$LAB_KEYS/admin-key.key" <<UPDATE
server $LAB_NAMED
zone example.com
update delete edge.example.com A
update add edge.example.com 300 A 192.0.2.81
send
UPDATE
section() {
    echo "[certificate $1]" && echo "ca = ecert" && echo "names = $2" && echo "product = $3" && echo "method = website" && shift 3 && printf '%s\n' "$@"
}
