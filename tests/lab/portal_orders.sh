# Sourced behind portal.sh: orders one after the other, each with an application of its own.
#   begin NAME [JSON]        the application and [certificate NAME], not yet started; R is its reference number; no fault is left of the last one
#   fault JSON               what the portal does wrong next
#   first EXIT PATTERN       the order's first run, by a person
#   later EXIT PATTERN       a run of cron after the backoff
begin() {
    number=$((number + 1))
    R=$number N=$1
    control calm '{}'
    application "$R" "\"server_name\": \"$1.example.hk\", \"product\": \"standard\"${2:+, $2}"
    certificate "$1" "$R"
}
fault() { control fault "$1"; }
first() { says "$1" "$2" run --force "$N"; }
later() {
    sqlite3 "$P/state/state.db" "update orders set due = 0 where cert = '$N'"
    says "$1" "$2" run "$N"
}
not_live() { [ ! -e "$P/state/live/$N" ]; }
