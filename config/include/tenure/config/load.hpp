#pragma once

#include <tenure/base/error.hpp>
#include <tenure/config/settings.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Reads settings: command-line options before environment variables before the file before the defaults.
// Whatever is wrong is reported together and nothing is half accepted. It does not look at what the values
// point to: check.hpp does. Threads: any; nothing here keeps state.
namespace tenure::config {

inline constexpr std::size_t kConfigFileMax = 1024UL * 1024;  // bytes; larger files are refused unread
inline constexpr std::string_view kDefaultConfigFile = "/etc/tenure/tenure.toml";

enum class Origin : std::uint8_t { default_value, file, environment, option };
[[nodiscard]] std::string_view name_of(Origin origin);  // "default", "file", "environment", "option"

// A value given on a command line: `key` is "store.path", `option` what the user typed ("--store"), for
// messages.
struct OptionOverride {
  std::string key;
  std::string value;
  std::string option;
};

struct SettingsSources {
  // Empty: no file, only the defaults and the overrides.
  std::filesystem::path file = {};
  // Names and values. Those that begin with TENURE_ are settings (TENURE_STORE_PATH is store.path), but for
  // TENURE_CONFIG and those that begin with TENURE_WORKER_ or TENURE_TEST_, which are not the loader's;
  // others are not read.
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::vector<OptionOverride> options = {};
};

// One thing that is wrong: "tenure.toml:12: store.pol is unknown; did you mean store.poll?"
struct Problem {
  std::string where;    // "tenure.toml:12", "TENURE_STORE_POLL", "--store"
  std::string key;      // "store.poll", "pool[1].slots"; empty where it concerns the whole file
  std::string message;  // begins with the key; says value and limit
  [[nodiscard]] std::string text() const { return where + ": " + message; }
};

// A setting as it is in force.
struct EffectiveValue {
  std::string key;    // "store.path"; of the first pool "pool[0].slots"
  std::string value;  // as the file would say it: `"25s"`, `8`, `["default"]`
  Origin origin = Origin::default_value;
  std::string where;  // as in Problem; empty for a default
};

struct LoadedSettings {
  Settings settings;  // only to be used where there are no problems
  std::vector<EffectiveValue> values;
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
};

// Never throws for what users write; also a file that cannot be read is a problem.
[[nodiscard]] LoadedSettings read_settings(const SettingsSources& sources);

// The same where one caller cannot go on without: BadConfiguration with all problems, one a line.
[[nodiscard]] LoadedSettings load_settings(const SettingsSources& sources);

// What SettingsSources::environment wants, of this process.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> environment_of_process();

// The environment that gives back these settings where there is no file; the pools are left out.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> variables_of(const Settings& settings);

// Which file a program reads: `option` (of --config) if not empty, else TENURE_CONFIG, else the default file
// where it exists; empty where there is none.
[[nodiscard]] std::filesystem::path config_file_to_read(
    std::string_view option, std::span<const std::pair<std::string, std::string>> environment);

}  // namespace tenure::config
