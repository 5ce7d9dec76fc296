#include "root.hpp"

#include <tenure/base/system.hpp>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace tenure::testing::detail {

namespace fs = std::filesystem;

Root::Root(const fs::path& parent) {
  const fs::path folder = fs::canonical(parent.empty() ? fs::temp_directory_path() : parent);
  std::string name = (folder / "tenure-test.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    raise_system(errno, "no folder can be made for a test's world", folder);
  path_ = name;
}

Root::~Root() {
  if (!is_own_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace tenure::testing::detail
