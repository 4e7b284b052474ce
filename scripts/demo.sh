#!/bin/sh
# The demonstration: one quick run, begun, gone on with, or begun anew next to an older one.
set -eu
run=$1
state=none
if [ -e "$run" ]; then
    status=$("$BIN/nanogap" status "$run" --json)
    state=$("$BIN/python" -c 'import json, sys; print(json.loads(sys.argv[1])["state"])' "$status")
fi
case $state in
finished)
    older=$run-$(date -r "$run/report.html" +%Y%m%d-%H%M%S)
    mv "$run" "$older"
    echo "The finished demonstration is kept as $older."
    "$BIN/nanogap" run quick -o "$run"
    ;;
none) "$BIN/nanogap" run quick -o "$run" ;;
*) "$BIN/nanogap" resume "$run" ;;
esac
echo "Open the report in a browser: $(pwd)/$run/report.html"
