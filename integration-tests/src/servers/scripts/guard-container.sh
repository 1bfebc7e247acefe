# Removes the container $1 when standard input closes: the server was dropped, or the program that started it is gone,
# however it went.
trap '' HUP INT TERM
cat >/dev/null
docker rm --force --volumes "$1" >/dev/null 2>&1
