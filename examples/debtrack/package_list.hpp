#pragma once

#include <cstdint>
#include <istream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The input: a list of Debian packages as `apt-cache dumpavail` prints it and /var/lib/dpkg/status holds it.
namespace debtrack {

struct Entry {
  std::string name;
  std::string version;
  std::string architecture;
  std::string maintainer;
  std::string section;
  std::string summary;
  std::int64_t installed_kib = 0;
};

// Entries by maintainer, in the list's order. An entry without name, version or maintainer ends the program with its line.
using PackageList = std::map<std::string, std::vector<Entry>>;
[[nodiscard]] PackageList read_package_list(std::istream& input);

// A tenant name for a maintainer: readable, and unique by a hash of the whole address.
// "Debian Perl Group <pkg-perl@lists...>" is debian-perl-group-5c1f09aa.
[[nodiscard]] std::string tenant_name_of(std::string_view maintainer);

}  // namespace debtrack
