#!/bin/sh
# Works for two seconds, then fails with exit code 7.
echo "crash: process $$ has started"
sleep 2
echo "crash: process $$ cannot go on" >&2
exit 7
