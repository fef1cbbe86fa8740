#!/bin/sh
# Starts RabbitMQ in a container. It needs `rabbitmq-server` on the path: the server's own script, not one that insists on a
# system's user and folders.
set -eu
umask 077

main() {
  mkdir -p /data/home /data/rabbitmq
  [ -f /data/home/.erlang.cookie ] || make_cookie
  # Erlang makes tables for as many files as it may open, and many containers may open a billion.
  # shellcheck disable=SC3045 # Not every shell knows it; where there is none the variable below has to do.
  ulimit -n 65536 2>/dev/null || true
  # Every setting is named, because what is not is read from the system's folders. The node knows only itself: its name and
  # epmd are of the loopback.
  exec env -u RABBITMQ_DATA_DIR \
    HOME=/data/home \
    ERL_CRASH_DUMP=/dev/null \
    ERL_MAX_PORTS=65536 \
    ERL_EPMD_ADDRESS=127.0.0.1 \
    RABBITMQ_CONF_ENV_FILE=/dev/null \
    RABBITMQ_NODENAME=gozon@localhost \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
    RABBITMQ_CONFIG_FILE=/etc/gozon/rabbitmq/rabbitmq.conf \
    RABBITMQ_CONFIG_FILES=/etc/gozon/none/*.conf \
    RABBITMQ_ADVANCED_CONFIG_FILE=/etc/gozon/none/advanced.config \
    RABBITMQ_ENABLED_PLUGINS_FILE=/etc/gozon/rabbitmq/enabled_plugins \
    RABBITMQ_MNESIA_BASE=/data/rabbitmq \
    RABBITMQ_LOG_BASE=/data/rabbitmq \
    RABBITMQ_LOGS=- \
    RUNNING_UNDER_SYSTEMD=true \
    rabbitmq-server
}

make_cookie() {
  od -An -N20 -tx1 /dev/urandom | tr -d ' \n' >/data/home/.erlang.cookie
  chmod 400 /data/home/.erlang.cookie
}

main
