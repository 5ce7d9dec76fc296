#!/usr/bin/env bash
# make_package_list.sh PACKAGES MAINTAINERS FILE: a package list as apt prints it, the same on every machine, with
# maintainers as unequal as real ones (maintainer n has about 1/n of what the first one has).
set -euo pipefail
awk -v packages="$1" -v maintainers="$2" 'BEGIN {
  for (n = 1; n <= maintainers; ++n) sum += 1 / n
  for (n = 1; n <= maintainers; ++n) {
    share = n == maintainers ? packages - made : int(packages / sum / n)
    for (i = 1; i <= share; ++i) {
      ++made
      printf "Package: pkg%d-%d\nVersion: 1.%d\nArchitecture: amd64\nMaintainer: Team %d <team%d@example.org>\n", n, i, i, n, n
      printf "Installed-Size: %d\nSection: misc\nDescription: package %d of team %d\n\n", made % 5000, i, n
    }
  }
}' > "$3"
