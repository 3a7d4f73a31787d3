#!/bin/sh
# render: one job. A POV-Ray scene on standard input, its picture (PNG) on standard output. A first line `// 640x480`
# says how large, else it is 320x240. A scene that cannot be rendered gives no picture; POV-Ray's words go to the log.
# render serve PORT JOBS: takes jobs on the TCP port PORT, JOBS of them at a time; a connection is a job.
#
# Files of a job lie in /srv/render while it runs.
set -eu
if [ "${1:-}" = serve ]; then exec socat -t 86400 "TCP-LISTEN:$2,fork,reuseaddr,max-children=$3" "EXEC:$0"; fi
job=$(mktemp -d /srv/render/job.XXXXXX)
trap 'rm -rf "$job"' EXIT
trap 'exit 130' INT TERM HUP
cd "$job"
cat > scene.pov
size=$(sed -n '1s#^// *\([0-9][0-9]*x[0-9][0-9]*\)$#\1#p' scene.pov)
size=${size:-320x240}
povray +Iscene.pov +Opicture.png +FN "+W${size%x*}" "+H${size#*x}" -D -GA > log 2>&1 || { tail -n 5 log >&2; exit 1; }
cat picture.png
