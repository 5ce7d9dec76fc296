#include "setting.hpp"

#include <tenure/config/load.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <variant>

namespace tenure::config {
namespace {

// As a variable says it: numbers, durations and names of choices as the file does, without its quotes.
std::string variable_text(const Setting<Settings>& setting, Settings& settings) {
  const Field field = setting.field(settings);
  if (const auto* const text = std::get_if<std::string*>(&field)) return **text;
  if (const auto* const path = std::get_if<std::filesystem::path*>(&field)) return (*path)->string();
  if (const auto* const list = std::get_if<std::vector<std::string>*>(&field))
    return fmt::format("{}", fmt::join(**list, ","));
  std::string text = value_text(setting.rule, field);
  std::erase(text, '"');
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> variables_of(const Settings& settings) {
  Settings copy = settings;  // the table's fields are of what can be changed
  std::vector<std::pair<std::string, std::string>> variables;
  for (const auto& setting : plain_settings())
    variables.emplace_back(environment_name(setting.section, setting.key), variable_text(setting, copy));
  return variables;
}

}  // namespace tenure::config
