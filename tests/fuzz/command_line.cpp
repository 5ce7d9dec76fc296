// The arguments of `tenure`, one a line: taken apart, and then performed by the whole program up to the point where a store is
// opened, for there is none. Every word and value that is taken stood there as it is; the program throws nothing, ends with one
// of its exit codes, and what it says on standard error can be shown.

#include "command_line.hpp"

#include "commands.hpp"
#include "settings_check.hpp"

#include <tenure/base/text.hpp>
#include <tenure/cli/run.hpp>

#include <algorithm>
#include <string>

namespace tenure::fuzz {
namespace {

class DiscardedOutput final : public cli::Output {
 public:
  bool data(std::string_view) override { return true; }
  void message(std::string_view text) override {
    require(text.ends_with('\n'), "a message is whole lines");
    for (const std::string_view line : lines_of(text))
      require(escaped(line, line.size()) == line, "a message can be shown");
  }
};

// Where the words behind the options are, each as it stood there.
void check_taken_apart(const std::vector<std::string>& arguments) {
  const auto line = cli::parse_command_line(arguments, cli::option_specs());
  if (!line) {
    require(line.error().code == ErrorCode::bad_options, "a refusal is BadOptions");
    return;
  }
  accepted();
  require(line->words.size() <= arguments.size(), "there are no more words than arguments");
  for (const std::string& word : line->words)
    require(std::ranges::find(arguments, word) != arguments.end(), "a word stood there as it is");
  for (const auto& [name, value] : line->options)
    require(std::ranges::any_of(arguments, [&](const std::string& each) { return each.ends_with(value); }),
            "a value stood there as it is");
}

void perform(const std::vector<std::string>& arguments) {
  static const ConfigFile no_settings;  // so that a configuration of this machine is not read
  const VirtualClock clock;
  DiscardedOutput output;
  cli::Environment environment{.clock = clock, .variables = {{"TENURE_CONFIG", no_settings.path()}}};
  environment.read_line = [] { return std::nullopt; };
  environment.read_input = [](std::size_t) { return std::string{}; };
  environment.open_store = [](const queue::SqliteStoreOptions&) -> std::shared_ptr<queue::Store> {
    raise(ErrorCode::database_missing, "there is no store");
  };
  environment.look_at_store = [](const std::filesystem::path&) -> std::shared_ptr<queue::ReadableStore> {
    raise(ErrorCode::database_missing, "there is no store");
  };
  environment.wake = [](const std::filesystem::path&) {};
  const int code = cli::run_cli(arguments, output, environment);
  require(std::ranges::find(exit_codes(), code, number_of) != exit_codes().end(),
          "the exit code is one of the program's");
}

}  // namespace

const MemoryLimit kMemoryLimit{.base = 4UL * 1024 * 1024, .for_each_byte = 1024};

}  // namespace tenure::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tenure::fuzz;
  std::vector<std::string> arguments;
  for (const std::string_view line : lines_of(text_of(data, size)))
    arguments.emplace_back(line.substr(0, line.find('\0')));  // as the kernel hands them over
  check_taken_apart(arguments);
  perform(arguments);
  return 0;
}
