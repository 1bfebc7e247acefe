# Shared by the scripts that start a server. The same text runs in a container and as a process on the machine.
#
# DATA      its folder; empty means a first start, anything else a restart with the same data
# PORT      where it listens
# LISTEN    the address it listens on
# PASSWORD  hexadecimal, of the user `sessions` (of the default user on Redis)
# "$@"      more options for the server
set -eu
export LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin:/usr/local/sbin

fail() {
    echo "$*" >&2
    exit 1
}

# Gives DATA to the first of these users that exists, and lets `$as` run a command as that user. Databases refuse to run
# as root; whoever is not root stays who they are.
drop_to() {
    as=
    [ "$(id -u)" = 0 ] || return 0
    for user; do
        if id -u "$user" >/dev/null 2>&1; then
            chown -R "$user" "$DATA"
            as="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups --"
            return 0
        fi
    done
    fail "none of the users $* exists"
}

