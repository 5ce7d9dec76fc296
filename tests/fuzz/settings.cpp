// Settings from environment variables (TENURE_STORE_POLL=5s) and from options (store.poll=5s), a line each. It never throws:
// they are settings or problems, each a line that can be shown. The values in force, written as a file, load as the same values.

#include "settings_check.hpp"

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 4UL * 1024 * 1024, .for_each_byte = 1024};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  config::SettingsSources sources;
  for (const std::string_view line : fuzz::lines_of(fuzz::text_of(data, size))) {
    const std::size_t equals = line.find('=');
    const std::string name{line.substr(0, equals)};
    const std::string value{equals == std::string_view::npos ? "" : line.substr(equals + 1)};
    if (name.starts_with("TENURE_")) sources.environment.emplace_back(name, value);
    else sources.options.push_back({.key = name, .value = value, .option = "--" + name});
  }
  fuzz::check_loaded(config::read_settings(sources));
  return 0;
}
