#include <tenure/config/log_options.hpp>

#include <algorithm>
#include <array>
#include <unistd.h>

namespace tenure::config {

std::string node_name(const Settings& settings) {
  if (!settings.daemon.node.empty()) return settings.daemon.node;
  std::array<char, 256> buffer{};
  return ::gethostname(buffer.data(), buffer.size() - 1) == 0 ? std::string{buffer.data()} : "localhost";
}

log::Options log_options(const Settings& settings) {
  log::Format format = log::format_for_stderr();
  if (settings.log.format == LogFormat::text) format = log::Format::text;
  if (settings.log.format == LogFormat::json) format = log::Format::json;
  return {.level = settings.log.level,
          .format = format,
          .file = settings.log.file.string(),
          .node = node_name(settings)};
}

log::Options log_options_of_application(const LoadedSettings& loaded) {
  log::Options options = log_options(loaded.settings);
  const auto level = std::ranges::find(loaded.values, "log.level", &EffectiveValue::key);
  const bool is_said = level != loaded.values.end() && level->origin != Origin::default_value;
  if (!is_said) options.level = log::Level::warning;
  return options;
}

}  // namespace tenure::config
