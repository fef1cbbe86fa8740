# shellcheck shell=bash
# A Grafana with our dashboards for whoever sources this file: one that is on the PATH, or one in a container.

grafana_image=grafana/grafana:12.1.0
grafana_process='' grafana_container='' grafana_engine='' grafana_found=''

# Starts one that keeps what it writes in folder $1, listens on port $2 and asks the Prometheus on port $3. Where there is
# none, it says so in `grafana_found` and goes on.
start_grafana() {
  local home=$1 port=$2 prometheus_port=$3
  grafana_found="http://localhost:$port"
  if find_grafana; then
    provision_grafana "$home" "http://127.0.0.1:$prometheus_port" "$checkout/charts/gozon/files/dashboards"
    launch_grafana "$home" "$port"
  elif find_container_engine; then
    contain_grafana "$home" "$port" "$prometheus_port"
  else
    grafana_found="missing: neither grafana is on the PATH nor does docker or podman answer"
    return
  fi
  wait_until 120 answers_ok "$port" /api/health || grafana_found="did not answer; its log: $home/log"
}

# Newer versions are `grafana server`, older ones `grafana-server`.
find_grafana() {
  grafana_command=(grafana server)
  command -v grafana >/dev/null && return
  grafana_command=(grafana-server)
  command -v grafana-server >/dev/null
}

find_container_engine() {
  for grafana_engine in docker podman; do
    if command -v "$grafana_engine" >/dev/null && "$grafana_engine" info >/dev/null 2>&1; then return; fi
  done
  return 1
}

# Writes what Grafana reads at its start: where the numbers are ($2), and where the dashboards ($3).
provision_grafana() {
  local folder=$1/provisioning
  mkdir -p "$folder/datasources" "$folder/dashboards" "$folder/plugins" "$folder/alerting"
  cat >"$folder/datasources/gozon.yaml" <<YAML
apiVersion: 1
datasources:
  - { name: Prometheus, uid: prometheus, type: prometheus, url: "$2", isDefault: true, jsonData: { timeInterval: 5s } }
YAML
  cat >"$folder/dashboards/gozon.yaml" <<YAML
apiVersion: 1
providers:
  - { name: gozon, type: file, options: { path: "$3" } }
YAML
  # In a container another user reads them.
  chmod -R a+rX "$folder"
}

# Prints the settings, one a line: open on this machine only, and no calls home. $1 is where the dashboards are.
grafana_settings() {
  printf 'GF_%s\n' AUTH_ANONYMOUS_ENABLED=true AUTH_ANONYMOUS_ORG_ROLE=Admin AUTH_DISABLE_LOGIN_FORM=true \
    ANALYTICS_REPORTING_ENABLED=false ANALYTICS_CHECK_FOR_UPDATES=false ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false \
    PLUGINS_PREINSTALL_DISABLED=true "DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH=$1/overview.json"
}

launch_grafana() {
  local home=$1 port=$2 settings=() share setting
  while read -r setting; do settings+=("$setting"); done < <(grafana_settings "$checkout/charts/gozon/files/dashboards")
  settings+=("GF_SERVER_HTTP_ADDR=127.0.0.1" "GF_SERVER_HTTP_PORT=$port" "GF_PATHS_DATA=$home/data" "GF_PATHS_LOGS=$home"
    "GF_PATHS_PLUGINS=$home/plugins" "GF_PATHS_PROVISIONING=$home/provisioning")
  # Its own files are beside the executable, or where packages put them.
  for share in "$(dirname "$(command -v "${grafana_command[0]}")")/.." /usr/share/grafana /opt/homebrew/share/grafana \
    /usr/local/share/grafana; do
    [[ ! -d $share/public ]] || break
  done
  set -m
  env "${settings[@]}" "${grafana_command[@]}" --homepath "$share" >"$home/log" 2>&1 </dev/null &
  grafana_process=$!
  set +m
}

# On Linux the container shares the machine's network, for Prometheus listens on the loopback interface alone; elsewhere
# the engine leads to that by a name.
contain_grafana() {
  local home=$1 port=$2 prometheus_port=$3 network=() settings=() setting name=gozon-grafana-$2
  if [[ $(uname) == Linux ]]; then
    network=(--network host --env GF_SERVER_HTTP_ADDR=127.0.0.1 --env "GF_SERVER_HTTP_PORT=$port")
    provision_grafana "$home" "http://127.0.0.1:$prometheus_port" /dashboards
  else
    network=(--publish "127.0.0.1:$port:3000")
    provision_grafana "$home" "http://host.docker.internal:$prometheus_port" /dashboards
  fi
  while read -r setting; do settings+=(--env "$setting"); done < <(grafana_settings /dashboards)
  if "$grafana_engine" run --detach --rm --name "$name" "${network[@]}" "${settings[@]}" \
    --volume "$home/provisioning:/etc/grafana/provisioning:ro" \
    --volume "$checkout/charts/gozon/files/dashboards:/dashboards:ro" "$grafana_image" >"$home/log" 2>&1; then
    grafana_container=$name
  fi
}

stop_grafana() {
  if [[ -n $grafana_container ]]; then "$grafana_engine" stop --time 5 "$grafana_container" >/dev/null 2>&1 || true; fi
  if [[ -n $grafana_process ]]; then
    kill -TERM "$grafana_process" 2>/dev/null || true
    wait "$grafana_process" 2>/dev/null || true
  fi
}
