# shellcheck shell=bash
# Borrowing the local instances for the time of a script: what ran before it goes on running after it.

instances_started_here=0

# Tests have a folder of their own inside the usual one, so that they neither see nor disturb what `make run` keeps.
use_test_instances() {
  local usual=${GOZON_LOCAL_DIR:-$checkout/.local}
  export GOZON_LOCAL_DIR=${usual%/test}/test
  # The tests make their vhosts through the management API; ports asked for are those of `make run`.
  export GOZON_RABBITMQ_MANAGEMENT=1
  unset GOZON_POSTGRES_PORT GOZON_RABBITMQ_PORT
}

borrow_instances() {
  instances_run || instances_started_here=1
  "$here/backing" start
}

instances_run() {
  "$here/backing" status >/dev/null 2>&1
}

return_instances() {
  [[ $instances_started_here -eq 0 ]] || "$here/backing" stop
}

# Exports the variables in `env`, which `gozon` reads, and in further files of the folder.
export_instance_variables() {
  local file
  set -a
  for file in env "$@"; do
    # shellcheck source=/dev/null
    source "$GOZON_LOCAL_DIR/$file"
  done
  set +a
}
