// The configuration file. It never throws: whatever the file holds is settings or problems, each a line that can be shown. The
// values in force, written as a file, load as the same values.

#include "settings_check.hpp"

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 4UL * 1024 * 1024, .for_each_byte = 1024};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  static const fuzz::ConfigFile file;
  file.write(fuzz::text_of(data, size));
  fuzz::check_loaded(config::read_settings({.file = file.path()}));
  return 0;
}
