#!/bin/sh
# The simulated portal of tests/portal before the agent meets it: walks to certificates in two looks and two languages, its rules, its faults, its counters.
here=$(dirname "$0")
if [ -z "${LAB_DIR:-}" ]; then
    exec "$here/up" named unbound portal -- "$0"
fi
exec "$here/../portal/selftest.py"
