# shellcheck shell=bash
# Finds what the local instances need and, on Debian and Ubuntu, installs what is missing without leaving a
# service behind.

install() {
  local packages=() for_tests=0 need_prometheus=0
  case ${1:-} in
    '') ;;
    --tests) for_tests=1 need_prometheus=1 ;;
    --prometheus) need_prometheus=1 ;;
    *) die "install knows no option \"$1\"" ;;
  esac
  command -v ps >/dev/null && command -v pgrep >/dev/null || packages+=(procps)
  find_postgres || packages+=(postgresql)
  find_rabbitmq || packages+=(rabbitmq-server)
  [[ $for_tests -eq 0 ]] || find_browser || packages+=(chromium)
  [[ $for_tests -eq 0 ]] || find_python || packages+=(python3-venv)
  [[ $need_prometheus -eq 0 ]] || find_prometheus || packages+=(prometheus)
  if [[ ${#packages[@]} -gt 0 ]]; then
    may_install || tell_what_to_install "${packages[@]}"
    install_packages "${packages[@]}"
  fi
  find_postgres || tell_what_to_install postgresql
  find_rabbitmq || tell_what_to_install rabbitmq-server
  [[ $for_tests -eq 0 ]] || find_browser || tell_what_to_install chromium
  [[ $for_tests -eq 0 ]] || find_python || tell_what_to_install python3-venv
  [[ $need_prometheus -eq 0 ]] || find_prometheus || tell_what_to_install prometheus
  check_cargo
  check_node
}

find_browser() {
  [[ -x ${CHROMIUM_PATH:-/usr/bin/chromium} ]]
}

# Both come in one package: the server, and the tool that checks rules.
find_prometheus() {
  command -v promtool >/dev/null || return 1
  [[ $(prometheus --version 2>&1) =~ version\ ([0-9]+)\.([0-9]+) ]] || return 1
  ((BASH_REMATCH[1] > 2 || (BASH_REMATCH[1] == 2 && BASH_REMATCH[2] >= 42)))
}

# The tests of the charts have a Python environment of their own; Debian keeps apart what makes one.
find_python() {
  python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))' 2>/dev/null
}

as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
  command -v apt-get >/dev/null && { [[ $EUID -eq 0 ]] || sudo -n true 2>/dev/null; }
}

tell_what_to_install() {
  die "missing, and not installable from here: $*" \
    "Postgres 15 or newer and RabbitMQ 3.10 or newer are needed. Chromium and Python 3.9 or newer are only for tests," \
    "Prometheus 2.42 or newer (with promtool) for tests and \`make observe\`." \
    "  Debian, Ubuntu   sudo apt-get install postgresql rabbitmq-server chromium python3-venv prometheus" \
    "  Fedora           sudo dnf install postgresql-server rabbitmq-server chromium python3 golang-github-prometheus procps-ng" \
    "  macOS            brew install postgresql@17 rabbitmq python3 prometheus" \
    "Their services need not run: Gozon starts instances of its own. A Chromium elsewhere is named by CHROMIUM_PATH." \
    "Then try again."
}

install_packages() {
  local log=$folder/install.log new_services=()
  [[ " $* " != *" postgresql "* ]] || new_services+=(postgresql)
  [[ " $* " != *" rabbitmq-server "* ]] || new_services+=(rabbitmq-server)
  [[ " $* " != *" prometheus "* ]] || new_services+=(prometheus)
  dpkg -s erlang-base >/dev/null 2>&1 || new_services+=(epmd.socket epmd.service)
  echo "installing  $* (log: $log)"
  # Whatever happens, the machine gets its own policy for services back.
  trap 'allow_services; rm -f "$folder/lock"' EXIT
  forbid_services
  apt update >"$log" 2>&1 || die "apt-get update failed; its last words:" "$(tail -n 10 "$log")"
  check_versions_on_offer "$@"
  # shellcheck disable=SC2046 # One word per package is what is wanted.
  apt install --yes --no-install-recommends $(debian_packages "$@") >>"$log" 2>&1 ||
    die "apt-get install failed; its last words:" "$(tail -n 10 "$log")"
  disable_services "${new_services[@]}"
  allow_services
}

apt() {
  as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get --option DPkg::Lock::Timeout=120 --quiet "$@"
}

# An older distribution would install for minutes what is of no use afterwards.
check_versions_on_offer() {
  local offered
  if [[ " $* " == *" postgresql "* ]]; then
    offered=$(newest_postgres_package)
    [[ ${offered#postgresql-} -ge 15 ]] ||
      die "this system's packages offer ${offered:-no Postgres}, and Postgres 15 or newer is needed" \
        "See https://www.postgresql.org/download/ for newer packages, install one, and try again."
  fi
  if [[ " $* " == *" rabbitmq-server "* ]]; then
    offered=$(apt-cache show --no-all-versions rabbitmq-server 2>/dev/null | sed -n 's/^Version: //p')
    dpkg --compare-versions "${offered:-0}" ge 3.10 ||
      die "this system's packages offer RabbitMQ ${offered:-not at all}, and 3.10 or newer is needed" \
        "See https://www.rabbitmq.com/docs/install-debian for newer packages, install one, and try again."
  fi
  [[ " $* " != *" prometheus "* ]] || check_prometheus_on_offer
}

check_prometheus_on_offer() {
  local offered
  offered=$(apt-cache show --no-all-versions prometheus 2>/dev/null | sed -n 's/^Version: //p')
  dpkg --compare-versions "${offered:-0}" ge 2.42 ||
    die "this system's packages offer Prometheus ${offered:-not at all}, and 2.42 or newer is needed" \
      "See https://prometheus.io/download/ for newer ones, put prometheus and promtool on the PATH, and try again."
}

newest_postgres_package() {
  apt-cache search --names-only '^postgresql-[0-9]+$' | cut -d ' ' -f 1 | sort -V | tail -n 1
}

# The newest server alone, rather than the metapackage `postgresql`, which drags the next major version in at
# an upgrade; a browser without fonts shows boxes.
debian_packages() {
  local package
  for package in "$@"; do
    case $package in
      postgresql) newest_postgres_package ;;
      chromium) echo chromium chromium-sandbox fonts-liberation ;;
      *) echo "$package" ;;
    esac
  done
}

policy=/usr/sbin/policy-rc.d
no_main_cluster=/etc/postgresql-common/createcluster.d/gozon.conf

# Packages start their services and create a first cluster as they are installed, unless these two files say
# otherwise. Both are there only during the installation.
forbid_services() {
  if [[ -e $policy && ! -e $policy.before-gozon ]]; then as_root mv "$policy" "$policy.before-gozon"; fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  as_root mkdir -p "$(dirname "$no_main_cluster")"
  echo 'create_main_cluster = false' | as_root tee "$no_main_cluster" >/dev/null
  as_root chmod 644 "$no_main_cluster"
}

allow_services() {
  as_root rm -f "$policy" "$no_main_cluster"
  if [[ -e $policy.before-gozon ]]; then as_root mv "$policy.before-gozon" "$policy"; fi
  trap 'rm -f "$folder/lock"' EXIT
}

# Only services that came with this installation: one that was there before is the machine's business.
disable_services() {
  local service
  for service in "$@"; do
    if command -v systemctl >/dev/null; then
      as_root systemctl disable --quiet "$service" 2>/dev/null || true
    elif [[ -x /etc/init.d/$service ]]; then
      as_root update-rc.d "$service" disable
    fi
  done
}

check_cargo() {
  command -v cargo >/dev/null ||
    die "cargo was not found" "Install Rust from https://rustup.rs, open a new terminal, and try again."
}

# What the page's packages need: 20.19, or 22.12 and newer.
check_node() {
  local version major minor
  version=$(node --version 2>/dev/null || true)
  version=${version#v}
  IFS=. read -r major minor _ <<<"${version:-0.0.0}"
  ((major == 20 && minor >= 19 || major == 22 && minor >= 12 || major > 22)) ||
    die "Node.js 20.19 or newer is needed for the page, and ${version:-none} was found" \
      "Install it from https://nodejs.org or with your system's package manager, and try again."
}
