#pragma once

#include "target.hpp"

#include <tenure/base/text.hpp>
#include <tenure/config/load.hpp>

#include <fcntl.h>
#include <map>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// What the targets that load settings share.
namespace tenure::fuzz {

// A file without a name on any disk, which the loader opens as it opens every other. Threads: one.
class ConfigFile {
 public:
  ConfigFile() : descriptor_(::memfd_create("tenure.toml", MFD_CLOEXEC)) {
    require(descriptor_ >= 0 && ::fchmod(descriptor_, 0600) == 0, "there is a file");
  }
  ~ConfigFile() { ::close(descriptor_); }
  ConfigFile(const ConfigFile&) = delete;
  ConfigFile& operator=(const ConfigFile&) = delete;

  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  void write(std::string_view content) const {
    require(::ftruncate(descriptor_, 0) == 0, "the file can be emptied");
    require(::pwrite(descriptor_, content.data(), content.size(), 0) == static_cast<ssize_t>(content.size()),
            "the file can be written");
  }

 private:
  int descriptor_;
};

inline void check_problems(const config::LoadedSettings& loaded) {
  for (const auto* list : {&loaded.problems, &loaded.warnings})
    for (const config::Problem& problem : *list) {
      const std::string text = problem.text();
      require(escaped(text, text.size()) == text, "a problem is a line that can be shown");
    }
}

// What was stated, as a file says it.
inline std::string written(const config::LoadedSettings& loaded) {
  std::map<std::string, std::string> sections;
  for (const config::EffectiveValue& value : loaded.values) {
    const std::size_t point = value.key.rfind('.');
    std::string& section = sections[value.key.substr(0, point)];
    if (value.origin != config::Origin::default_value)
      section += value.key.substr(point + 1) + " = " + value.value + '\n';
  }
  std::string text;
  // pool[10] stands before pool[2] in a map; their order is part of their names.
  for (const auto& [name, entries] : sections)
    if (!name.starts_with("pool[")) text += '[' + name + "]\n" + entries;
  for (std::size_t i = 0; i < loaded.settings.pools.size(); ++i)
    text += "[[pool]]\n" + sections["pool[" + std::to_string(i) + ']'];
  return text;
}

// Settings without a problem can be written as a file, which says the same.
inline void check_rewritten(const config::LoadedSettings& loaded) {
  static const ConfigFile file;
  file.write(written(loaded));
  const auto again = config::read_settings({.file = file.path()});
  require(again.problems.empty(), "the values that are in force can be written as a file");
  require(again.values.size() == loaded.values.size(), "the file says as many values");
  for (std::size_t i = 0; i < again.values.size(); ++i)
    require(again.values[i].key == loaded.values[i].key && again.values[i].value == loaded.values[i].value,
            "the file says the same values");
}

inline void check_loaded(const config::LoadedSettings& loaded) {
  check_problems(loaded);
  if (!loaded.problems.empty()) return;
  accepted();
  check_rewritten(loaded);
}

}  // namespace tenure::fuzz
