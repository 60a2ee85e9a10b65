#!/usr/bin/env bash
# run-demo.sh: builds vigil and runs the demonstration in the foreground; Ctrl-C ends it and all its tasks.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh dev

# The configured demo knows where it lives.
demo=build/dev/examples/demo.json
socket=$(sed -n 's|.*"runtime_dir": *"\([^"]*\)".*|\1/control.sock|p' "$demo")
cat <<EOF

The demonstration runs here until Ctrl-C. In a second terminal:

  cd $PWD
  export VIGIL_SOCKET=$socket
  export PATH=$PWD/build/dev/daemon/ctl:\$PATH

  vigilctl status              # what runs, and why the rest does not
  vigilctl status --watch      # the same, live
  vigilctl events              # every change as it happens
  vigilctl --help              # everything else

EOF
# In place of this shell: the terminal's Ctrl-C, and the SIGTERM that make hands on, reach vigild itself.
exec build/dev/daemon/vigild -c "$demo"
