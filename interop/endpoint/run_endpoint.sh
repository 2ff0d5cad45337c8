#!/bin/bash
set -e
/setup.sh
if [ "$ROLE" = client ]; then
    /wait-for-it.sh sim:57832 -s -t 30
fi
exec /endpoint
