#pragma once

#include <tenure/config/load.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace tenure::config {

// A whole section of a pool, whose last line this one is: the fourth.
inline std::string pool(std::string_view line) {
  return "[[pool]]\nname = \"a\"\nprogram = \"/p\"\n" + std::string(line) + "\n";
}

// A folder of its own for one test, gone at its end.
class ScratchFolder : public ::testing::Test {
 public:
  ~ScratchFolder() override { std::filesystem::remove_all(folder_); }

 protected:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tenure-config-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder");
    folder_ = name;
  }

  std::filesystem::path write(std::string_view content, std::string_view name = "tenure.toml") const {
    const auto path = folder_ / name;
    std::ofstream(path, std::ios::binary) << content;
    std::filesystem::permissions(path, std::filesystem::perms{0644});
    return path;
  }
  LoadedSettings read(std::string_view content) const { return read_settings({.file = write(content)}); }

  // The only problem of that content, "LINE: MESSAGE", or all of them where there are more.
  std::string problems(std::string_view content) const {
    std::string all;
    for (const Problem& problem : read(content).problems) {
      std::string text = problem.text();
      const std::string front = (folder_ / "tenure.toml").string() + ":";
      if (text.starts_with(front)) text.erase(0, front.size());
      all += (all.empty() ? "" : "\n") + text;
    }
    return all;
  }

  std::filesystem::path folder_;
};

}  // namespace tenure::config
