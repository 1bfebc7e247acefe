# Three masters on PORT, PORT + 1 and PORT + 2, each with its bus 10000 above. They announce the loopback address and the
# very ports they listen on, which in a container are published under the same numbers: a redirect leads a client outside
# to the right node. Whoever starts this forms the cluster.

# Times in its log, and nothing else, are in this zone: Redis counts seconds.
export TZ='<+0545>-5:45'
server=$(command -v redis-server || command -v valkey-server) || fail "no redis-server here"
for node in 0 1 2; do
    mkdir -p "$DATA/$node"
done
drop_to redis valkey nobody
for node in 0 1 2; do
    # shellcheck disable=SC2086 # $as is a list of words.
    $as "$server" --port $((PORT + node)) --bind "$LISTEN" --requirepass "$PASSWORD" --dir "$DATA/$node" \
        --appendonly yes --appendfsync no --save '' \
        --cluster-enabled yes --cluster-node-timeout 5000 --cluster-announce-ip 127.0.0.1 "$@" &
done
wait
