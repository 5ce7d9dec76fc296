#pragma once

#include <filesystem>

namespace tenure::testing {

// Folders with a mode of their own, and not the copied one: the set-group-id bit may not be set everywhere that this runs.
inline void copy_folder(const std::filesystem::path& from, const std::filesystem::path& into) {
  std::filesystem::create_directory(into);
  for (const auto& entry : std::filesystem::directory_iterator{from}) {
    const auto copied = into / entry.path().filename();
    if (entry.is_directory()) copy_folder(entry.path(), copied);
    else std::filesystem::copy_file(entry.path(), copied);
  }
}

}  // namespace tenure::testing
