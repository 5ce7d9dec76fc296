// The list of packages that the example imports. It is entries with a name, a version and a maintainer, or one error; and every
// maintainer's tenant has a name that a tenant may have.

#include "package_list.hpp"

#include "target.hpp"

#include <tenure/tenancy/tenant_name.hpp>

#include <sstream>
#include <stdexcept>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 64UL * 1024, .for_each_byte = 128};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tenure::fuzz::require;
  std::istringstream input{std::string{tenure::fuzz::text_of(data, size)}};
  try {
    const debtrack::PackageList list = debtrack::read_package_list(input);
    if (!list.empty()) tenure::fuzz::accepted();
    for (const auto& [maintainer, entries] : list) {
      require(!maintainer.empty() && !entries.empty(), "a maintainer has a name and a package");
      require(tenure::TenantName::parse(debtrack::tenant_name_of(maintainer)).has_value(),
              "a tenant may have that name");
      for (const auto& entry : entries)
        require(!entry.name.empty() && !entry.version.empty(), "an entry has a name and a version");
    }
  } catch (const std::runtime_error&) {
    return 0;
  }
  return 0;
}
