# shellcheck shell=bash
# The folder that holds one checkout's instances: data, logs, ports, passwords and what Gozon reads
# from its environment. Nothing outside it is written, so deleting it forgets everything.

# Sets `folder` and makes sure of it.
open_folder() {
  local wanted=${GOZON_LOCAL_DIR:-$checkout/.local}
  [[ $wanted == /* ]] || wanted=$PWD/$wanted
  # RabbitMQ's scripts split paths at spaces, its configuration file takes ASCII alone, and the env file is read unquoted.
  plain_path "$wanted" ||
    die "the path $wanted has more in it than plain letters, digits and ./_@+,:=-" \
      "RabbitMQ cannot live there. Set GOZON_LOCAL_DIR to another folder, for example GOZON_LOCAL_DIR=/var/tmp/gozon."
  mkdir -p "$wanted" || die "cannot create $wanted" "Set GOZON_LOCAL_DIR to a folder you may write."
  [[ -O $wanted ]] ||
    die "$wanted belongs to another user" \
      "Work as that user, delete the folder, or set GOZON_LOCAL_DIR to a folder of your own."
  folder=$(cd "$wanted" && pwd -P)
  # Root's Postgres runs as another user, who has to get through to its data; every secret has a mode of its own.
  [[ $EUID -ne 0 ]] || chmod 711 "$folder"
  read_ports
}

plain_path() {
  # Ranges mean ASCII in this locale, and other letters too in most.
  local LC_ALL=C
  [[ $1 != *[!A-Za-z0-9_./@+,:=-]* ]]
}

# One command at a time per folder: two starts at once would both create the same database.
lock_folder() {
  wait_until 300 take_lock ||
    die "another \`backing\` command (process $(readlink "$folder/lock")) is at work on $folder" \
      "Wait for it to end, then try again."
  trap 'rm -f "$folder/lock"' EXIT
}

# The lock is a link that points to its holder's number: it comes into being whole or not at all.
take_lock() {
  local holder
  ln -sn "$$" "$folder/lock" 2>/dev/null && return
  holder=$(readlink "$folder/lock") || return 1
  process_lives "$holder" || rm -f "$folder/lock"
  return 1
}

read_ports() {
  postgres_port='' rabbitmq_port='' management_port='' distribution_port='' epmd_port=''
  # shellcheck source=/dev/null
  [[ ! -f $folder/ports ]] || source "$folder/ports"
}

write_ports() {
  printf '%s=%s\n' \
    postgres_port "$postgres_port" rabbitmq_port "$rabbitmq_port" management_port "$management_port" \
    distribution_port "$distribution_port" epmd_port "$epmd_port" >"$folder/ports"
}

# Prints the port to use: the one asked for by the variable named $2, if any (it must be free), else the kept one $1,
# else a free one. A kept port that somebody else took meanwhile is replaced, so checkouts can live side by side.
choose_port() {
  local kept=$1 variable=${2:-}
  local asked=''
  [[ -z $variable ]] || asked=${!variable:-}
  if [[ -n $asked ]]; then
    [[ $asked =~ ^[0-9]+$ && $asked -ge 1 && $asked -le 65535 ]] ||
      die "$variable is \"$asked\", which is not a port" "Set it to a number from 1 to 65535, or unset it."
    ! port_taken "$asked" ||
      die "port $asked, asked for by $variable, is taken by another program" \
        "Stop that program, set $variable to a free port, or unset it to have one chosen."
    echo "$asked"
  elif [[ -n $kept ]] && ! port_taken "$kept"; then
    echo "$kept"
  else
    free_port "$postgres_port" "$rabbitmq_port" "$management_port" "$distribution_port" "$epmd_port"
  fi
}

random_hex() {
  od -An -N"$1" -tx1 /dev/urandom | tr -d ' \n'
}

# Prints the password of a role, which is made up at its first use and kept. Hexadecimal needs no
# quoting in a URL, a shell, SQL or JSON.
password() {
  local kept
  kept=$(sed -n "s/^$1=//p" "$folder/passwords" 2>/dev/null || true)
  if [[ -z $kept ]]; then
    kept=$(random_hex 24)
    echo "$1=$kept" >>"$folder/passwords"
  fi
  echo "$kept"
}

# Writes what Gozon reads from its environment, and apart from it what only tests and people need.
write_env() {
  local service purpose user
  [[ -f $folder/session-keys ]] ||
    head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n' >"$folder/session-keys"
  [[ -f $folder/operator-token ]] || random_hex 32 >"$folder/operator-token"
  {
    for service in orders payments; do
      for purpose in owner api writer relay audit; do
        user=${service}_$purpose
        echo "GOZON_$(upper "$user")_URL=postgres://$user:$(password "$user")@127.0.0.1:$postgres_port/$service"
      done
    done
    for user in owner relay service; do
      echo "GOZON_AMQP_$(upper "$user")_URL=amqp://$user:$(password "rabbitmq_$user")@127.0.0.1:$rabbitmq_port/gozon"
    done
    echo "GOZON_SESSION_KEYS_FILE=$folder/session-keys"
    echo "GOZON_OPERATOR_TOKEN_FILE=$folder/operator-token"
    echo "GOZON_PROFILE=demo"
  } >"$folder/env.new"
  {
    echo "GOZON_POSTGRES_ADMIN_URL=postgres://postgres:$(password postgres)@127.0.0.1:$postgres_port/postgres"
    if management_wanted; then
      echo "GOZON_RABBITMQ_ADMIN_URL=http://admin:$(password rabbitmq_admin)@127.0.0.1:$management_port"
    fi
    echo "GOZON_RABBITMQ_PORT=$rabbitmq_port"
    echo "GOZON_PSQL=$postgres_bin/psql"
  } >"$folder/admin.env.new"
  # A reader sees the old file or the new one, never half of one.
  mv "$folder/env.new" "$folder/env"
  mv "$folder/admin.env.new" "$folder/admin.env"
}

upper() {
  tr '[:lower:]' '[:upper:]' <<<"$1"
}
