# shellcheck shell=bash
# The local RabbitMQ: a node of its own with its own cookie, its own epmd and nothing outside the folder.

# Sets `rabbitmq_server` to the server's own script, or fails. Debian's wrapper of the same name in
# /usr/sbin is no use: it insists on the system's user and on the system's folders.
find_rabbitmq() {
  local candidate
  rabbitmq_server=''
  for candidate in /usr/lib/rabbitmq/bin/rabbitmq-server /opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server \
    /usr/local/opt/rabbitmq/sbin/rabbitmq-server "$(command -v rabbitmq-server || true)"; do
    if [[ -x $candidate ]] && rabbitmq_is_new_enough "$candidate"; then
      rabbitmq_server=$candidate
      return
    fi
  done
  return 1
}

# Reads the version from the folder beside the script: asking rabbitmqctl for it takes two seconds.
rabbitmq_is_new_enough() {
  local home version
  home=$(dirname "$(dirname "$(readlink -f "$1")")")
  version=$(find "$home/plugins" -maxdepth 1 -name 'rabbit-[0-9]*' 2>/dev/null | sed -E 's/.*rabbit-([0-9]+\.[0-9]+).*/\1/' | head -n 1)
  [[ -n $version ]] && ((${version%.*} > 3 || (${version%.*} == 3 && ${version#*.} >= 10)))
}

management_wanted() {
  [[ ${GOZON_RABBITMQ_MANAGEMENT:-0} == 1 ]]
}

management_runs() {
  grep -q management "$folder/rabbitmq/enabled_plugins" 2>/dev/null
}

rabbitmq_pid() {
  local pid
  pid=$(cat "$folder/rabbitmq/pid" 2>/dev/null) || return 1
  process_is "$pid" "-home $folder/rabbitmq/home" && echo "$pid"
}

epmd_pid() {
  local pid
  pid=$(cat "$folder/rabbitmq/epmd.pid" 2>/dev/null) || return 1
  process_is "$pid" "$folder" && echo "$pid"
}

start_rabbitmq() {
  local began word='runs already'
  began=$(now_ms)
  if ! rabbitmq_pid >/dev/null; then
    word=ready
    mkdir -p "$folder/rabbitmq/home" "$folder/rabbitmq/log"
    configure_rabbitmq
    epmd_pid >/dev/null || start_epmd
    launch_rabbitmq
  fi
  # One that an interrupted `start` left behind may still be on its way.
  wait_until 180 rabbitmq_settled || rabbitmq_failed "was not ready within 180 seconds"
  rabbitmq_pid >/dev/null || rabbitmq_failed "did not start"
  echo "rabbitmq    $word on 127.0.0.1:$rabbitmq_port ($(seconds_since "$began"))"
}

# Succeeds when the server says that it is complete, or has given up.
rabbitmq_settled() {
  grep -q 'completed with' "$folder/rabbitmq/log/console" 2>/dev/null || ! process_lives "$(cat "$folder/rabbitmq/pid")"
}

rabbitmq_failed() {
  die "rabbitmq $1; the last lines of $folder/rabbitmq/log:" \
    "$(tail -q -n 12 "$folder/rabbitmq/log/console" "$folder"/rabbitmq/log/gozon@localhost.log 2>/dev/null)" \
    "If the data is of no use any more, \`make reset\` forgets it."
}

# Job control gives the server a process group of its own: Ctrl-C in the terminal must not reach it before
# Gozon has finished with it.
launch_rabbitmq() {
  # The last run's words must not be taken for this one's.
  rm -f "$folder/rabbitmq/log/console"
  set -m
  become_in_rabbitmq_environment nohup "$rabbitmq_server" >"$folder/rabbitmq/log/console" 2>&1 </dev/null &
  echo $! >"$folder/rabbitmq/pid"
  set +m
}

# epmd tells Erlang programs where a node listens. This one knows only ours, and carries the folder in its
# name so that `stop` can tell it from any other.
start_epmd() {
  set -m
  (exec -a "epmd $folder" epmd -address 127.0.0.1 -port "$epmd_port") >/dev/null 2>&1 </dev/null &
  echo $! >"$folder/rabbitmq/epmd.pid"
  set +m
  wait_until 10 port_taken "$epmd_port" || die "epmd did not start on port $epmd_port"
}

# Becomes a program with this node's environment. Every setting is named, also those that lead nowhere, because
# what is not named is read from the system's /etc/rabbitmq.
become_in_rabbitmq_environment() {
  # Many systems allow a session 1,024 open files, of which every connection takes one.
  ulimit -n 20000 2>/dev/null || true
  exec env HOME="$folder/rabbitmq/home" \
    ERL_CRASH_DUMP="$folder/rabbitmq/log/erl_crash.dump" \
    ERL_EPMD_ADDRESS=127.0.0.1 \
    ERL_EPMD_PORT="$epmd_port" \
    RABBITMQ_CONF_ENV_FILE=/dev/null \
    RABBITMQ_NODENAME=gozon@localhost \
    RABBITMQ_DIST_PORT="$distribution_port" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
    RABBITMQ_CONFIG_FILE="$folder/rabbitmq/rabbitmq.conf" \
    RABBITMQ_CONFIG_FILES="$folder/rabbitmq/none/*.conf" \
    RABBITMQ_ADVANCED_CONFIG_FILE="$folder/rabbitmq/none/advanced.config" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$folder/rabbitmq/enabled_plugins" \
    RABBITMQ_MNESIA_BASE="$folder/rabbitmq/data" \
    RABBITMQ_LOG_BASE="$folder/rabbitmq/log" \
    RUNNING_UNDER_SYSTEMD=true \
    RABBITMQ_SERVER_START_ARGS='+B i' \
    "$@"
}

configure_rabbitmq() {
  local home=$folder/rabbitmq
  [[ -f $home/home/.erlang.cookie ]] || random_hex 20 >"$home/home/.erlang.cookie"
  chmod 400 "$home/home/.erlang.cookie"
  if management_wanted; then echo '[rabbitmq_management].'; else echo '[].'; fi >"$home/enabled_plugins"
  {
    echo "# Written at every start by services/gozon/local/rabbitmq.sh."
    echo "listeners.tcp.local = 127.0.0.1:$rabbitmq_port"
    [[ -z ${GOZON_LISTEN_ADDRESS:-} ]] || echo "listeners.tcp.besides = $GOZON_LISTEN_ADDRESS:$rabbitmq_port"
    # With definitions to load, the node creates neither the user `guest` nor the vhost `/`.
    echo "load_definitions = $home/definitions.json"
    echo "max_message_size = 16777216"
    echo "log.console = false"
    # The default of 512 MiB is written and held in memory before the first segment is cut.
    echo "raft.wal_max_size_bytes = 67108864"
    if management_wanted; then
      echo "management.tcp.ip = 127.0.0.1"
      echo "management.tcp.port = $management_port"
    fi
  } >"$home/rabbitmq.conf"
  write_definitions >"$home/definitions.json"
}

# The server reads users and permissions at start: each call of rabbitmqctl would cost a second, and
# would show the password to everyone who lists processes.
write_definitions() {
  local admin_user='' admin_permission=''
  # The relay publishes to the exchange of events alone, not by the default one into queues; declaring the topology again
  # takes the rights to read and write on its parts.
  local topology='^(gozon\\.(events|dead-letters)|(payment|order)\\..+)$'
  if management_wanted; then
    admin_user=", $(user_json admin administrator)"
    admin_permission=", $(permission_json admin '.*' '.*' '.*')"
  fi
  cat <<JSON
{
  "vhosts": [{"name": "gozon"}],
  "users": [$(user_json owner), $(user_json relay), $(user_json service)$admin_user],
  "permissions": [
    $(permission_json owner '.*' '.*' '.*'),
    $(permission_json relay '^(gozon\\.(events|dead-letters|fence\\..+)|(payment|order)\\..+)$' "$topology" "$topology"),
    $(permission_json service '' '' '^(payment|order)\\..*')$admin_permission
  ]
}
JSON
}

user_json() {
  printf '{"name": "%s", "password": "%s", "tags": "%s"}' "$1" "$(password "rabbitmq_$1")" "${2:-}"
}

permission_json() {
  printf '{"user": "%s", "vhost": "gozon", "configure": "%s", "write": "%s", "read": "%s"}' "$1" "$2" "$3" "$4"
}

# Sets the share of the machine's memory beyond which the node rings its alarm; it looks every few seconds.
set_memory_limit() {
  find_rabbitmq || die "RabbitMQ 3.10 or newer was not found" "Run \`services/gozon/local/backing install\`."
  (become_in_rabbitmq_environment "$(dirname "$(readlink -f "$rabbitmq_server")")/rabbitmqctl" \
    --quiet set_vm_memory_high_watermark "$1" >/dev/null) ||
    die "rabbitmq does not run in $folder" "Start it with \`backing start\`."
}

stop_rabbitmq() {
  local began pid
  began=$(now_ms)
  if pid=$(rabbitmq_pid); then
    # A node that is still booting does not listen to signals, and must not die while it creates its tables.
    wait_until 180 rabbitmq_settled || true
    kill -TERM "$pid"
    wait_until 30 none_lives "$pid" || kill_rabbitmq
    echo "rabbitmq    stopped ($(seconds_since "$began"))"
  fi
  if pid=$(epmd_pid); then kill "$pid"; fi
}

kill_rabbitmq() {
  local pid
  pid=$(rabbitmq_pid) || die "rabbitmq does not run in $folder" "Start it with \`backing start\`."
  kill -KILL "$pid"
  wait_until 10 none_lives "$pid" || die "the killed rabbitmq process $pid is still there"
}
