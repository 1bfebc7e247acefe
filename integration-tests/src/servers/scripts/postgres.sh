# Postgres with statement statistics and a time zone that is not UTC. Without fsync: what a killed process had committed is
# there after a restart, what a crashed machine had is not.
installed=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
PATH=${installed:+$installed:}$PATH
command -v initdb >/dev/null || fail "no postgres here"
drop_to postgres nobody
if [ ! -f "$DATA/PG_VERSION" ]; then
    # shellcheck disable=SC2086 # $as is a list of words.
    $as initdb --pgdata="$DATA" --username=sessions --encoding=UTF8 --locale=C --auth=trust --no-sync --no-instructions
    # From here on nobody is trusted; in a container, clients come from the address of its bridge.
    echo "host all all all scram-sha-256" >"$DATA/pg_hba.conf"
    # Databases that tests make get the statistics too, from the template.
    $as postgres --single -D "$DATA" template1 <<SQL
ALTER ROLE sessions PASSWORD '$PASSWORD';
CREATE EXTENSION pg_stat_statements;
CREATE DATABASE sessions;
SQL
fi
# Dynamic shared memory lies in DATA and goes with it.
# shellcheck disable=SC2086 # $as is a list of words.
exec $as postgres -D "$DATA" -p "$PORT" -c listen_addresses="$LISTEN" -c unix_socket_directories= \
    -c timezone=Asia/Kathmandu -c shared_preload_libraries=pg_stat_statements -c max_connections=200 \
    -c fsync=off -c full_page_writes=off -c dynamic_shared_memory_type=mmap -c jit=off "$@"
