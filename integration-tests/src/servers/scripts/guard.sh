# Holds the processes of one server: all that work inside the folder $1, whatever their parent or process group is.
#
# Each line on standard input is a signal for all of them, and is answered by a line on standard output when it is done:
# after KILL none of them is left. When standard input closes, because the server was dropped or because the program that
# started it is gone, however it went, they are killed and the folder is removed.
set -u
trap '' HUP INT TERM
folder=$1

members() {
    find /proc/[0-9]*/cwd -maxdepth 0 -lname "$folder/*" -printf '%h\n' 2>/dev/null | sed 's,.*/,,'
}

# Two rounds, for a process that was born while the first one looked.
signal() {
    for _ in 1 2; do
        for process in $(members); do
            kill -s "$1" "$process" 2>/dev/null
        done
    done
}

kill_all() {
    # Stopped first, so that none of them sees another die.
    signal STOP
    while [ -n "$(members)" ]; do
        signal KILL
        sleep 0.01
    done
}

while read -r name; do
    case $name in
        KILL) kill_all ;;
        *) signal "$name" ;;
    esac
    echo ok
done
# Politely first, so that parents wait for their children.
signal CONT
signal TERM
for _ in $(seq 300); do
    [ -n "$(members)" ] || break
    sleep 0.01
done
kill_all
# A killed Postgres leaves a shared memory segment; its number is the last word of this line.
segment=$(sed -n '7s/.* //p' "$folder/data/postmaster.pid" 2>/dev/null)
[ -z "$segment" ] || ipcrm -m "$segment" 2>/dev/null
rm -rf "$folder"
