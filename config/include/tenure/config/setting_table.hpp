#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the manual, `config explain`, `config sample` and messages say about a setting, from the one table
// that the loader reads too. Threads: any.
namespace tenure::config {

struct SettingInfo {
  std::string key;  // "store.poll", "pool.slots"
  std::string
      type;  // "duration", "size", "integer", "path", "text", "list of texts", "one of: durable, ordered"
  std::string default_value;  // as the file would say it; empty where the setting is required
  std::string limits;         // "100ms to 1m"
  std::string help;           // a sentence or two
  std::string environment;    // "TENURE_STORE_POLL"; empty where there is none
  bool needs_restart = false;
};

// In the order of the sample.
[[nodiscard]] std::vector<SettingInfo> all_settings();

[[nodiscard]] std::optional<SettingInfo> find_setting(std::string_view key);

// The key that somebody may have meant.
[[nodiscard]] std::optional<std::string> nearest_setting(std::string_view key);

// A configuration file with every setting at its default and its help, ready to be edited. Loads to
// Settings{}.
[[nodiscard]] std::string sample();

}  // namespace tenure::config
