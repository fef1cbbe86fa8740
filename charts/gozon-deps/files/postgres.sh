#!/bin/sh
# Starts Postgres in a container: makes its data at the first start, its databases and logins at every one, and then serves.
# It needs `initdb`, `postgres`, `psql` and `pg_isready` on the path, and runs as whom the data belongs to.
set -eu
umask 077

data=/data/postgres
sockets=/run/postgres
server=''

main() {
  # Postgres takes TERM for "wait until everybody has left"; INT ends their sessions, and what was committed is on disk.
  trap stop TERM INT
  [ -f "$data/PG_VERSION" ] || create
  # Nobody gets in while logins may be missing or have the passwords of another installation.
  start -c listen_addresses=
  until pg_isready --quiet --host "$sockets"; do
    kill -0 "$server" || exit 1
    sleep 0.2
  done
  prepare orders
  prepare payments
  kill -INT "$server"
  finish || true
  start -c listen_addresses='*'
  finish
}

# Fills a folder beside the final one, so that an interrupted start leaves nothing that looks finished.
create() {
  rm -rf "$data.new"
  initdb --pgdata="$data.new" --username=postgres --auth-local=trust --auth-host=scram-sha-256 --encoding=UTF8 --locale=C \
    --data-checksums
  echo "host all all all scram-sha-256" >>"$data.new/pg_hba.conf"
  mv "$data.new" "$data"
}

start() {
  postgres -D "$data" -c config_file=/etc/gozon/postgres/postgresql.conf -c hba_file="$data/pg_hba.conf" \
    -c ident_file="$data/pg_ident.conf" -c unix_socket_directories="$sockets" "$@" &
  server=$!
}

# Passwords reach psql by its environment, because a command line can be read by everybody.
prepare() {
  (
    for login in owner api writer relay audit; do
      name=$(echo "GOZON_${login}_PASSWORD" | tr '[:lower:]' '[:upper:]')
      export "$name=$(cat "/etc/gozon/passwords/${1}_$login")"
    done
    psql --host "$sockets" --username postgres --dbname postgres --no-psqlrc --quiet --variable "service=$1" \
      --variable "database=$1" --file /etc/gozon/postgres/databases.sql
  )
}

stop() {
  [ -z "$server" ] || kill -INT "$server"
}

# A signal ends the waiting, not the server.
finish() {
  status=0
  wait "$server" || status=$?
  while kill -0 "$server" 2>/dev/null; do
    status=0
    wait "$server" || status=$?
  done
  return "$status"
}

main
