# shellcheck shell=bash
# A running shop: `gozon all` as a process of the script that sources this file.

shop_process=''

# The folder that cargo builds into.
target_folder() {
  echo "${CARGO_TARGET_DIR:-$checkout/target}"
}

# Starts the executable $1 in a process group of its own: Ctrl-C reaches the script, and the script tells the shop.
start_shop() {
  set -m
  "$1" all </dev/null &
  shop_process=$!
  set +m
}

# Succeeds once the shop says that it is ready; fails when it has ended or takes longer than a minute.
shop_becomes_ready() {
  wait_until 60 shop_settled && shop_is_ready
}

shop_settled() {
  shop_is_ready || ! process_lives "$shop_process"
}

shop_is_ready() {
  answers_ok "$GOZON_ADMIN_PORT" /readyz
}

# Succeeds when whoever listens on port $1 answers a GET of path $2 with 200.
answers_ok() {
  local answer
  answer=$(
    exec 2>/dev/null 3<>"/dev/tcp/127.0.0.1/$1" &&
      printf 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' "$2" >&3 &&
      read -r -t 5 line <&3 && echo "$line"
  ) || return 1
  [[ $answer == *' 200 '* ]]
}

# Asks the shop to stop and waits for it. A signal to the script meanwhile is passed on, which ends the shop at once.
stop_shop() {
  [[ -n $shop_process ]] || return 0
  trap 'kill -TERM "$shop_process" 2>/dev/null || true' INT TERM HUP
  kill -TERM "$shop_process" 2>/dev/null || true
  wait_until 40 none_lives "$shop_process" || kill -KILL "$shop_process"
  wait "$shop_process" 2>/dev/null || true
  shop_process=''
}
