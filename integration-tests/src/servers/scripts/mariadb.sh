# MariaDB with statement statistics and a time zone that is not UTC. Every commit is handed to the kernel, so killing the
# process loses nothing; nothing is synced to the disk.
command -v mariadbd >/dev/null || fail "no mariadbd here"
drop_to mysql nobody
if [ ! -d "$DATA/mysql" ]; then
    # shellcheck disable=SC2086 # $as is a list of words.
    $as mariadb-install-db --no-defaults --datadir="$DATA" --skip-test-db --skip-name-resolve \
        --auth-root-authentication-method=normal
    # Run at each start, before the first connection is taken.
    cat >"$DATA/users.sql" <<SQL
CREATE DATABASE IF NOT EXISTS sessions;
CREATE USER IF NOT EXISTS sessions@'%' IDENTIFIED BY '$PASSWORD';
GRANT ALL ON *.* TO sessions@'%' WITH GRANT OPTION;
SQL
fi
# A host that connects and leaves a hundred times, as a check for readiness does, would be shut out by default.
# shellcheck disable=SC2086 # $as is a list of words.
exec $as mariadbd --no-defaults --datadir="$DATA" --port="$PORT" --bind-address="$LISTEN" --socket="$DATA/socket" \
    --init-file="$DATA/users.sql" --skip-name-resolve --max-connect-errors=1000000 --max-connections=300 \
    --default-time-zone=+05:45 --character-set-server=utf8mb4 --performance-schema=ON \
    --innodb-flush-log-at-trx-commit=2 --innodb-flush-method=fsync "$@"
