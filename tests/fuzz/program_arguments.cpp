// The arguments of `tenured` and of worker programs, one a line: they are understood, or there is a problem to say.

#include "loop/settings_for_program.hpp"
#include "target.hpp"

#include <algorithm>
#include <string>

namespace tenure::fuzz {

const MemoryLimit kMemoryLimit{.base = 16UL * 1024, .for_each_byte = 128};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure;
  std::vector<std::string> arguments;
  for (const std::string_view line : fuzz::lines_of(fuzz::text_of(data, size))) arguments.emplace_back(line);
  const auto program = daemon::parse_program_arguments(arguments);
  if (program.problem.empty()) fuzz::accepted();
  const bool is_there = std::ranges::any_of(
      arguments, [&](const std::string& argument) { return argument.ends_with(program.config_file); });
  fuzz::require(program.config_file.empty() || is_there, "the file's name stood there as it is");
  const bool said =
      program.help || program.version || !program.problem.empty() ||
      std::ranges::any_of(arguments, [](const auto& each) { return each.starts_with("--config"); });
  fuzz::require(said, "no argument is passed over in silence");
  return 0;
}
