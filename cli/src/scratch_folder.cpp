#include "scratch_folder.hpp"

#include <tenure/base/system.hpp>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <system_error>

namespace tenure::cli {

ScratchFolder::ScratchFolder(const std::filesystem::path& parent) {
  std::error_code error;
  const std::filesystem::path real = std::filesystem::canonical(parent, error);
  if (error) raise_system(error.value(), "there can be no scratch folder", parent);
  std::string name = (real / "tenure-replay.XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) raise_system(errno, "there can be no scratch folder", parent);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  if (is_kept_) return;
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace tenure::cli
