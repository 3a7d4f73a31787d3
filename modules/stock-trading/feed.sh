#!/bin/sh
# feed PORT [GROUP]: a stand-in for a market-data feed handler. Takes lines `SYMBOL PRICE SIZE` in datagrams on the UDP
# port PORT, of the multicast group GROUP where one is given, and keeps a book. Who connects to the TCP port PORT is told
# `messages N`, `dropped N` (by the kernel, for want of room) and for each symbol `SYMBOL TRADES VOLUME LAST`.
#
# socat receives and mawk keeps the book, both as they come from Debian. A real handler would decode a venue's protocol.
set -eu
port=$1
export FEED_BOOK="${FEED_BOOK:-/dev/shm/book}"
group=${2:+,ip-add-membership=$2:0.0.0.0}

if [ "$port" = answer ]; then # the book as of now: asked for through the feed itself, so nothing is written meanwhile
  port=$2
  echo FLUSH | socat -u - "UDP4-SENDTO:127.0.0.1:$port"
  sleep 0.2
  head -n 1 "$FEED_BOOK"
  awk -v port="$(printf ':%04X' "$port")" '$2 ~ port "$" { print "dropped", $NF }' /proc/net/udp
  tail -n +2 "$FEED_BOOK"
  exit
fi

echo "messages 0" > "$FEED_BOOK"
trap 'trap - TERM; kill 0' TERM INT
socat "TCP-LISTEN:$port,fork,reuseaddr,max-children=8" "EXEC:$0 answer $port" &
socat -u "UDP4-RECV:$port,reuseaddr,rcvbuf=4194304$group" - | mawk -W interactive -v book="$FEED_BOOK" '
  $1 == "FLUSH" {
    print "messages", messages + 0 > (book ".new")
    for (symbol in trades) print symbol, trades[symbol], volume[symbol], last[symbol] | ("sort >> " book ".new")
    close(book ".new"); close("sort >> " book ".new"); system("mv " book ".new " book); next
  }
  NF == 3 { messages++; trades[$1]++; volume[$1] += $3; last[$1] = $2 }' &
wait
