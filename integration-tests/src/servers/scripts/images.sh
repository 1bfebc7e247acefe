# Makes the container image of the servers from the distribution's packages, where no registry can be reached, and prints
# its name. With --check it only says whether the image is there. RECIPE is the text of this script: its sum is the tag, so
# that another recipe is another image, and an image that is there is not made again.
#
# One image holds all the servers: they share most of their files, and it is one bootstrap instead of three.
set -eu
name=sessions-test/servers
tag=$(printf '%s' "$RECIPE" | sha256sum | cut -c -12)

fail() {
    echo "cannot make the image $name: $*" >&2
    exit 1
}

there() {
    docker image inspect "$name:$tag" >/dev/null 2>&1
}

command -v docker >/dev/null || fail "there is no docker command"
if there; then
    echo "$name:$tag"
    exit 0
fi
[ "${1:-}" != --check ] || exit 3

[ "$(id -u)" = 0 ] || fail "debootstrap needs root; run  sudo cargo xtask images"
exec 9>"${TMPDIR:-/tmp}/sessions-test-images.lock"
flock 9
if there; then
    echo "$name:$tag"
    exit 0
fi
install_packages debootstrap || fail "debootstrap is missing"

# The same release, from the same mirror, as the machine's own packages.
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
components=$(. /etc/os-release && if [ "$ID" = ubuntu ]; then echo main,universe; else echo main; fi)
mirror=$(apt-get indextargets --format '$(SITE)' "Created-By: Packages" "Codename: $suite" | head -n 1)
[ -n "$mirror" ] || fail "apt-get has no package lists of $suite; run  apt-get update"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "making $name:$tag from the packages of $suite, about a minute" >&2
debootstrap --variant=minbase --components="$components" --include=redis-server,postgresql,mariadb-server-core,mariadb-client-core,tzdata \
    "$suite" "$work/system" "$mirror" </dev/null >"$work/log" 2>&1 9>&- || {
    tail -n 20 "$work/log" "$work/system/debootstrap/debootstrap.log" >&2 || true
    fail "debootstrap failed"
}
tar -C "$work/system" --exclude='./usr/share/doc' --exclude='./usr/share/man' --exclude='./usr/share/locale' \
    --exclude='./var/cache' --exclude='./var/lib/apt' --exclude='./var/lib/postgresql' --exclude='./usr/lib/*/libLLVM*' \
    --exclude='./usr/lib/postgresql/*/lib/bitcode' --exclude='./usr/lib/postgresql/*/lib/llvm*' -c . |
    docker import - "$name:$tag" >/dev/null
# Images of earlier recipes are of no use any more, unless a container still needs one.
docker images --format '{{.Repository}}:{{.Tag}}' "$name" | grep -vxF "$name:$tag" |
    xargs -r docker rmi >/dev/null 2>&1 || true
echo "$name:$tag"
