#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the manual, `config explain`, `config sample` and messages say about a setting, from the one table
// that the loader reads too. Threads: any.
namespace tenure::config {

// When a daemon that runs takes a change over.
enum class TakenOver : std::uint8_t {
  by_reload,
  by_new_workers,  // by a reload, which replaces the worker processes one by one
  at_start,
};
// "by a reload", "at the next start".
[[nodiscard]] std::string_view text_of(TakenOver taken_over);

struct SettingInfo {
  std::string key;  // "store.poll", "pool.slots"
  std::string
      type;  // "duration", "size", "integer", "path", "text", "list of texts", "one of: durable, ordered"
  std::string default_value;  // as the file would say it; empty where the setting is required
  std::string limits;         // "100ms to 1m"
  std::string help;           // a sentence or two
  std::string environment;    // "TENURE_STORE_POLL"; empty where there is none
  TakenOver taken_over = TakenOver::at_start;
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
