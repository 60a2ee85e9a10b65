#!/bin/sh
# Does a piece of work and ends well: exit code 0, after which a task is complete and not started again.
for step in 1 2 3; do
    echo "complete: step $step of 3"
    sleep 1
done
echo "complete: done"
