# One Redis or Valkey server. Every answered write is handed to the kernel first, so killing the process loses nothing.

# Times in its log, and nothing else, are in this zone: Redis counts seconds.
export TZ='<+0545>-5:45'
server=$(command -v redis-server || command -v valkey-server) || fail "no redis-server here"
drop_to redis valkey nobody
# shellcheck disable=SC2086 # $as is a list of words.
exec $as "$server" --port "$PORT" --bind "$LISTEN" --requirepass "$PASSWORD" --dir "$DATA" \
    --appendonly yes --appendfsync no --save '' "$@"
