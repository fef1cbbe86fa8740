# shellcheck shell=bash
# How the local scripts speak and wait: progress, durations, and errors that say what to do next.

# Prints the first argument as an error and the others, what to do about it, below; then ends the script.
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  [[ $# -eq 0 ]] || printf '%s\n' "$@" | sed 's/^/       /' >&2
  exit 1
}

# Milliseconds since the epoch; bash 3.2, which macOS ships, only knows whole seconds.
now_ms() {
  local now
  if [[ -n ${EPOCHREALTIME:-} ]]; then
    now=${EPOCHREALTIME/[.,]/}
    echo "${now%???}"
  else
    echo "$(($(date +%s) * 1000))"
  fi
}

# The time since an instant of now_ms, as "1.2 s".
seconds_since() {
  local passed=$(($(now_ms) - $1))
  printf '%d.%d s' $((passed / 1000)) $((passed % 1000 / 100))
}

# Succeeds when something listens on this port of the loopback interface.
port_taken() {
  (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Prints a free port that is none of the arguments, below the range from which the system takes the ports of outgoing
# connections.
free_port() {
  local port
  while true; do
    port=$((20000 + RANDOM % 12000))
    [[ " $* " == *" $port "* ]] || port_taken "$port" || break
  done
  echo "$port"
}

# Succeeds when process $1 runs and has the word $2 on its command line. A number in a pid file may
# belong to another program by now, or to a copy of this folder, so the number alone proves nothing.
process_is() {
  local arguments
  arguments=$(ps -ww -o args= -p "$1" 2>/dev/null) || return 1
  [[ " $arguments " == *" $2 "* ]]
}

# Succeeds while the process runs; one that has ended but was not collected by its parent yet does not.
process_lives() {
  local state
  state=$(ps -o stat= -p "$1" 2>/dev/null) || return 1
  [[ $state != Z* ]]
}

none_lives() {
  local pid
  for pid in "$@"; do
    if process_lives "$pid"; then return 1; fi
  done
}

# Waits until the command succeeds, looking ten times a second, for at most $1 seconds.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}
