#!/usr/bin/env bash
# Instructions a job, ours and the yardstick's, counted by valgrind: the same on a busy machine as on a quiet one. What the
# kernel does (writing the log, syncing) is not in them.
#
# usage: instructions.sh BENCH_STORE [BACKLOG] [FOLDER]
#   BENCH_STORE  the program, build/release/bench/bench_store
#   BACKLOG      whole thousands of jobs (10000)
#   FOLDER       on a real disk (/var/tmp)
set -euo pipefail

(($# >= 1 && $# <= 3)) || { sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
program=$1 backlog=${2:-10000} folder=${3:-/var/tmp}
command -v valgrind > /dev/null || { echo "instructions.sh: valgrind is not installed" >&2; exit 1; }

counts=$(mktemp)
trap 'rm -f "$counts"' EXIT

for figure in 2 2.1; do
  valgrind --quiet --tool=callgrind --callgrind-out-file="$counts" \
    "$program" --quick --figure "$figure" --backlog "$backlog" --folder "$folder" > /dev/null 2>&1
  callgrind_annotate --inclusive=yes --threshold=99.9 "$counts" |
    awk -v jobs="$backlog" -v tenants="$([[ $figure == 2 ]] && echo '1,000 tenants' || echo 'one tenant')" '
      function found(name) { count = $1; gsub(/,/, "", count); total[name] = count / jobs }
      /bench::fill\(tenure::queue::Store/ { found("enqueue ours") }
      /bench::drain\(tenure::queue::Store/ { found("finish ours") }
      /bench::fill\(yardstick/ { found("enqueue yardstick") }
      /bench::drain\(yardstick/ { found("finish yardstick") }
      END {
        line = "%s, %s: ours %.0f, yardstick %.0f instructions a job, ratio %.2f\n"
        a = total["enqueue ours"]; b = total["enqueue yardstick"]; c = total["finish ours"]; d = total["finish yardstick"]
        if (!(a && b && c && d)) { print "instructions.sh: the functions to count are not in the program"; exit 1 }
        printf line, "bulk enqueue", tenants, a, b, b / a
        printf line, "claim and finish", tenants, c, d, d / c
      }'
done
