# shellcheck shell=bash
# The local Postgres: created, started, prepared and stopped inside the folder.

# Sets `postgres_bin` to the folder of a Postgres of version 15 or newer, or fails. Data that is there
# already needs the version that made it.
find_postgres() {
  local major candidate newest=0 needed
  needed=$(cat "$folder/postgres/data/PG_VERSION" 2>/dev/null || true)
  postgres_bin=''
  for candidate in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin \
    /usr/local/opt/postgresql@*/bin "$(dirname "$(command -v pg_ctl || echo none/none)")"; do
    [[ -x $candidate/initdb && -x $candidate/pg_ctl && -x $candidate/psql ]] || continue
    major=$("$candidate/pg_ctl" --version | sed -E 's/^[^0-9]*([0-9]+).*/\1/')
    if [[ $major == "$needed" ]] || [[ -z $needed && $major -ge 15 && $major -gt $newest ]]; then
      postgres_bin=$candidate newest=$major
    fi
  done
  [[ -n $postgres_bin ]]
}

# Runs a program of Postgres, which refuses to be root: root lends it the user `postgres`, or `nobody`.
as_database_user() {
  if [[ $EUID -ne 0 ]]; then
    "$@"
    return
  fi
  local user=postgres
  id "$user" >/dev/null 2>&1 || user=nobody
  local become=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --init-groups)
  # A checkout under /root is closed to that user. One capability lets it through to its own data; it is
  # lent only where the way is really closed.
  if ! "${become[@]}" test -x "$folder/postgres"; then
    become+=(--inh-caps=+dac_override --ambient-caps=+dac_override)
  fi
  (cd / && exec "${become[@]}" "$@")
}

postgres_pid() {
  local pid
  pid=$(head -n 1 "$folder/postgres/data/postmaster.pid" 2>/dev/null) || return 1
  process_is "$pid" "$folder/postgres/data" && echo "$pid"
}

start_postgres() {
  local began word='runs already'
  began=$(now_ms)
  if ! postgres_pid >/dev/null; then
    word=ready
    [[ -f $folder/postgres/data/PG_VERSION ]] || create_postgres
    forget_dead_server
    configure_postgres
    as_database_user "$postgres_bin/pg_ctl" start --silent --wait --timeout=180 \
      --pgdata="$folder/postgres/data" --log="$folder/postgres/log" >/dev/null 2>&1 ||
      postgres_failed "did not start"
  fi
  # One that an interrupted `start` left behind may still be recovering, or lack its databases.
  wait_until 180 "$postgres_bin/pg_isready" --quiet --host=127.0.0.1 --port="$postgres_port" ||
    postgres_failed "was not ready within 180 seconds"
  prepare_databases || postgres_failed "started, but its databases could not be prepared"
  echo "postgres    $word on 127.0.0.1:$postgres_port ($(seconds_since "$began"))"
}

# Fills a folder beside the final one, so that an interrupted run leaves nothing that looks finished.
create_postgres() {
  local fresh=$folder/postgres/data.new
  mkdir -p "$folder/postgres"
  rm -rf "$fresh"
  password postgres >"$folder/postgres/password"
  [[ $EUID -ne 0 ]] || chown -R "$(id -u postgres 2>/dev/null || id -u nobody)" "$folder/postgres"
  as_database_user "$postgres_bin/initdb" --pgdata="$fresh" --username=postgres \
    --pwfile="$folder/postgres/password" --auth=scram-sha-256 --encoding=UTF8 --locale=C --data-checksums \
    >"$folder/initdb.log" 2>&1 ||
    die "initdb failed; its last words:" "$(tail -n 15 "$folder/initdb.log")"
  rm -f "$folder/postgres/password" "$folder/initdb.log"
  echo "include 'gozon.conf'" >>"$fresh/postgresql.conf"
  mv "$fresh" "$folder/postgres/data"
}

# After a crash the number in the pid file may be another program's or that of a process nobody has collected,
# and in a copied folder it is the original's: Postgres would refuse to start for any of them. Where a Postgres
# lives and says that it works on this very data, its own check is the better judge.
forget_dead_server() {
  local file=$folder/postgres/data/postmaster.pid pid data
  { read -r pid && read -r data; } 2>/dev/null <"$file" || return 0
  if [[ $data != "$folder/postgres/data" ]] || ! process_lives "$pid" || ! ps -o args= -p "$pid" | grep -q postgres; then
    rm -f "$file"
  fi
}

configure_postgres() {
  local addresses=127.0.0.1 rules_file=$folder/postgres/data/gozon_hba.conf rules='local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256'
  if [[ -n ${GOZON_LISTEN_ADDRESS:-} ]]; then
    addresses+=,$GOZON_LISTEN_ADDRESS
    rules+='
host all all all scram-sha-256'
  fi
  # Written at every start, as the addresses are: what was asked for once must not stay open for ever.
  echo "$rules" >"$rules_file"
  chmod 644 "$rules_file"
  # Written as the file's owner sees it: root may write anyway, and the mode of the folder keeps it private.
  cat >"$folder/postgres/data/gozon.conf" <<CONF
# Written at every start by services/gozon/local/postgres.sh.
listen_addresses = '$addresses'
hba_file = '${rules_file//\'/\'\'}'
port = $postgres_port
unix_socket_directories = ''
max_connections = 700
shared_buffers = 256MB
max_wal_size = 2GB
# The promises rest on these two: what was answered is on disk.
fsync = on
synchronous_commit = on
# Compiling costs more than it saves on statements of a few milliseconds.
jit = off
log_line_prefix = '%m [%p] %q%u@%d '
CONF
  chmod 644 "$folder/postgres/data/gozon.conf"
}

postgres_failed() {
  die "postgres $1; the last lines of $folder/postgres/log:" "$(tail -n 15 "$folder/postgres/log" 2>/dev/null)" \
    "If the data is of no use any more, \`make reset\` forgets it."
}

prepare_databases() {
  local service
  for service in orders payments; do
    PGHOST=127.0.0.1 PGPORT=$postgres_port PGUSER=postgres PGDATABASE=postgres PGCONNECT_TIMEOUT=10 \
      PGPASSWORD=$(password postgres) \
      GOZON_OWNER_PASSWORD=$(password "${service}_owner") \
      GOZON_API_PASSWORD=$(password "${service}_api") \
      GOZON_WRITER_PASSWORD=$(password "${service}_writer") \
      GOZON_RELAY_PASSWORD=$(password "${service}_relay") \
      GOZON_AUDIT_PASSWORD=$(password "${service}_audit") \
      "$postgres_bin/psql" --no-psqlrc --quiet --variable "service=$service" --variable "database=$service" \
      --file "$here/databases.sql" || return 1
  done
}

# Fast shutdown: sessions are ended, what was committed is on disk, no recovery at the next start.
stop_postgres() {
  local began
  began=$(now_ms)
  postgres_pid >/dev/null || return 0
  as_database_user "$postgres_bin/pg_ctl" stop --silent --mode=fast --wait --timeout=30 \
    --pgdata="$folder/postgres/data" >/dev/null || kill_postgres
  echo "postgres    stopped ($(seconds_since "$began"))"
}

# What a power cut does: the server and all its sessions end between two instructions.
kill_postgres() {
  local pid
  pid=$(postgres_pid) || die "postgres does not run in $folder" "Start it with \`backing start\`."
  local family=("$pid")
  while read -r pid; do family+=("$pid"); done < <(pgrep -P "$pid")
  kill -KILL "${family[@]}" 2>/dev/null || true
  # A session that outlives its server would hold on to the data under the next one.
  wait_until 10 none_lives "${family[@]}" || die "killed postgres processes are still there: ${family[*]}"
}
