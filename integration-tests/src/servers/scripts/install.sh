# install_packages PACKAGE...: brings in what is missing from the distribution's packages. Needs root, starts no service.
install_packages() (
    set -eu
    missing=
    for package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || exit 0
    if ! command -v apt-get >/dev/null; then
        echo "missing:$missing; there is no apt-get here, so install them by hand" >&2
        exit 1
    elif [ "$(id -u)" != 0 ]; then
        echo "missing:$missing; run  sudo apt-get install$missing" >&2
        exit 1
    fi
    echo "installing$missing" >&2
    exec 9>"${TMPDIR:-/tmp}/sessions-test-install.lock"
    flock 9
    # What the packages would start as services, this keeps from starting.
    policy=/usr/sbin/policy-rc.d
    log=$(mktemp)
    trap 'rm -f "$log" ${made:-}' EXIT
    if [ ! -e "$policy" ]; then
        made=$policy
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod +x "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086 # a list of words.
    if ! { apt-get update && apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends $missing; } \
        </dev/null >"$log" 2>&1 9>&-; then
        tail -n 20 "$log" >&2
        echo "apt-get install$missing failed" >&2
        exit 1
    fi
)

