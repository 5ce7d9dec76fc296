#include "config_file.hpp"
#include "setting.hpp"

#include <tenure/base/text.hpp>
#include <tenure/config/listen_address.hpp>
#include <tenure/config/load.hpp>
#include <tenure/config/setting_table.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <unistd.h>

namespace tenure::config {
namespace {

constexpr std::string_view kEnvironmentFront = "TENURE_";

struct Provenance {
  Origin origin = Origin::default_value;
  std::string where;
};

// "" and "store.", whose last word is empty: shown in quotes, as the file says it.
bool is_without_word(std::string_view key) { return key.empty() || key.ends_with('.'); }

std::string full_key(std::string_view section, std::string_view key) {
  return fmt::format("{}.{}", section, key);
}

// Reads one set of sources. Lives for one call of read_settings.
class Loader {
 public:
  explicit Loader(const SettingsSources& sources) : sources_(sources) {}

  LoadedSettings load() {
    if (!sources_.file.empty()) take_file();
    for (const auto& [name, value] : sources_.environment) take_variable(name, value);
    warn_of_others();
    for (const OptionOverride& option : sources_.options) take_option(option);
    check_names(kPoolSection, result_.settings.pools, pool_lines_);
    check_names(kScheduleSection, result_.settings.schedules, schedule_lines_);
    check_names(kLimitSection, result_.settings.limits, limit_lines_);
    check_pools();
    check_limits();
    check_listening();
    list_values();
    return std::move(result_);
  }

 private:
  void problem(std::string where, std::string key, std::string message) {
    result_.problems.push_back({std::move(where), std::move(key), std::move(message)});
  }

  template <class Owner>
  void take(const Setting<Owner>& setting, Owner& owner, const std::string& key, const RawValue& raw,
            Provenance provenance) {
    const auto done = assign(setting.rule, setting.field(owner), raw, config_dir_);
    if (done) {
      provenance_[key] = std::move(provenance);
      return;
    }
    const std::string value = setting.may_be_secret ? "" : " = " + raw.text();
    problem(provenance.where, key, fmt::format("{}{}: {}", key, value, done.error().message));
  }

  void take_file() {
    std::error_code error;
    config_dir_ = std::filesystem::absolute(sources_.file, error).lexically_normal().parent_path();
    if (error)
      return problem(
          file_and_line(sources_.file, 0), "",
          "the file is named from the working folder on, which cannot be told: " + error.message());
    RawFile file = read_config_file(sources_.file);
    result_.problems = std::move(file.problems);
    result_.warnings = std::move(file.warnings);
    for (const RawTable& table : file.tables) take_table(table);
  }

  void take_table(const RawTable& table) {
    if (table.before_headers) {
      for (const RawEntry& entry : table.entries) unknown(entry.key, entry.line);
    } else if (table.section == kPoolSection) {
      take_listed(table, pool_settings(), result_.settings.pools, pool_lines_, kPoolsMax);
    } else if (table.section == kScheduleSection) {
      take_listed(table, schedule_settings(), result_.settings.schedules, schedule_lines_, kSchedulesMax);
    } else if (table.section == kLimitSection) {
      take_listed(table, limit_settings(), result_.settings.limits, limit_lines_, kLimitsMax);
    } else if (const auto settings = plain_settings();
               std::none_of(settings.begin(), settings.end(),
                            [&](const auto& s) { return s.section == table.section; })) {
      unknown_section(table);
    } else if (table.in_array) {
      problem(file_and_line(sources_.file, table.line), table.section,
              fmt::format("{} is one section: write [{}]", table.section, table.section));
    } else {
      for (const RawEntry& entry : table.entries) take_entry(table, entry);
    }
  }

  void take_entry(const RawTable& table, const RawEntry& entry) {
    for (const auto& setting : plain_settings())
      if (setting.section == table.section && setting.key == entry.key)
        return take(setting, result_.settings, full_key(table.section, entry.key), entry.value,
                    {Origin::file, file_and_line(sources_.file, entry.line)});
    unknown(full_key(table.section, entry.key), entry.line);
  }

  // One of a list of sections.
  template <class Owner>
  void take_listed(const RawTable& table, std::span<const Setting<Owner>> settings, std::vector<Owner>& list,
                   std::vector<int>& lines, std::size_t count_max) {
    const std::string& section = table.section;
    const std::string where = file_and_line(sources_.file, table.line);
    if (!table.in_array)
      return problem(where, section, fmt::format("{} is a list of sections: write [[{}]]", section, section));
    if (list.size() == count_max)
      return problem(where, section, fmt::format("more than {} {}s", count_max, section));
    const std::string front = fmt::format("{}[{}]", section, list.size());
    Owner& owner = list.emplace_back();
    lines.push_back(table.line);
    for (const auto& setting : settings) {
      const auto entry = std::find_if(table.entries.begin(), table.entries.end(),
                                      [&](const auto& e) { return e.key == setting.key; });
      if (entry != table.entries.end())
        take(setting, owner, full_key(front, setting.key), entry->value,
             {Origin::file, file_and_line(sources_.file, entry->line)});
      else if (setting.required)
        problem(where, full_key(front, setting.key),
                fmt::format("{}.{} is missing: every [[{}]] states it", front, setting.key, section));
    }
    for (const RawEntry& entry : table.entries)
      if (std::none_of(settings.begin(), settings.end(), [&](const auto& s) { return s.key == entry.key; }))
        unknown(full_key(section, entry.key), entry.line);
  }

  void unknown(const std::string& key, int line) {
    const auto near = nearest_setting(key);
    problem(
        file_and_line(sources_.file, line), key,
        fmt::format("{}{} is no setting of this release{}", escaped(key), is_without_word(key) ? "\"\"" : "",
                    near ? fmt::format("; did you mean {}?", *near) : ""));
  }

  void unknown_section(const RawTable& table) {
    std::vector<std::string_view> sections{kPoolSection, kScheduleSection, kLimitSection};
    for (const auto& setting : plain_settings()) sections.push_back(setting.section);
    const auto near = nearest(table.section, sections);
    problem(file_and_line(sources_.file, table.line), table.section,
            fmt::format("[{}] is no section of this release{}",
                        table.section.empty() ? "\"\"" : escaped(table.section),
                        near ? fmt::format("; did you mean [{}]?", *near) : ""));
  }

  void take_variable(const std::string& name, const std::string& value) {
    if (!name.starts_with(kEnvironmentFront) || name == "TENURE_CONFIG" ||
        name.starts_with("TENURE_WORKER_") || name.starts_with("TENURE_TEST_"))
      return;
    for (const auto& setting : plain_settings())
      if (environment_name(setting.section, setting.key) == name)
        return take(setting, result_.settings, full_key(setting.section, setting.key), {value, true},
                    {Origin::environment, name});
    ignore_variable(name);
  }

  // Others have variables of this front too: an orchestrator makes some for each service, by its name.
  void ignore_variable(const std::string& name) {
    const auto settings = plain_settings();
    std::vector<std::string> words;  // STORE_POLL
    for (const auto& setting : settings)
      words.push_back(environment_name(setting.section, setting.key).substr(kEnvironmentFront.size()));
    const std::vector<std::string_view> candidates(words.begin(), words.end());
    const auto near = nearest(std::string_view(name).substr(kEnvironmentFront.size()), candidates);
    if (!near) return others_.push_back(escaped(name));
    const auto& setting =
        settings[static_cast<std::size_t>(std::ranges::find(candidates, *near) - candidates.begin())];
    result_.warnings.push_back(
        {escaped(name), full_key(setting.section, setting.key),
         fmt::format("the variable names no setting and is ignored; did you mean {}{}?", kEnvironmentFront,
                     *near)});
  }

  void warn_of_others() {
    constexpr std::size_t kNamed = 5;
    if (others_.empty()) return;
    const std::span<const std::string> named(others_.data(), std::min(others_.size(), kNamed));
    result_.warnings.push_back(
        {"environment", "",
         fmt::format("no settings, and ignored: {}{}", fmt::join(named, ", "),
                     others_.size() > kNamed ? fmt::format(" and {} more", others_.size() - kNamed) : "")});
  }

  void take_option(const OptionOverride& option) {
    for (const auto& setting : plain_settings())
      if (full_key(setting.section, setting.key) == option.key)
        return take(setting, result_.settings, option.key, {option.value, true},
                    {Origin::option, option.option});
    const auto near = nearest_setting(option.key);
    problem(escaped(option.option), option.key,
            fmt::format("{} is no setting of this release{}", escaped(option.key),
                        near ? fmt::format("; did you mean {}?", *near) : ""));
  }

  // Each of a list has a name of its own.
  template <class Owner>
  void check_names(std::string_view section, const std::vector<Owner>& list, const std::vector<int>& lines) {
    std::map<std::string, std::size_t> first;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string& name = list[i].name;
      const auto [earlier, is_new] = first.emplace(name, i);
      if (!name.empty() && !is_new)
        problem(file_and_line(sources_.file, lines[i]), fmt::format("{}[{}].name", section, i),
                fmt::format("{}[{}].name = \"{}\": {}[{}] has that name already", section, i, escaped(name),
                            section, earlier->second));
    }
  }

  void pool_problem(std::size_t pool, std::string_view key, std::string_view what) {
    const std::string name = fmt::format("{}[{}].{}", kPoolSection, pool, key);
    problem(provenance_[name].where, name, fmt::format("{}: {}", name, what));
  }

  // What no pool can be meant to do.
  void check_pools() {
    for (std::size_t i = 0; i < result_.settings.pools.size(); ++i) {
      const PoolSettings& pool = result_.settings.pools[i];
      const auto left_out = std::ranges::count_if(
          pool.tenants, [](const std::string& tenant) { return tenant.starts_with('!'); });
      if (left_out != 0 && left_out != std::ssize(pool.tenants))
        pool_problem(i, "tenants",
                     "names tenants and leaves others out: a pool takes only some, or all but some");
      std::int64_t reserved = 0;
      for (const ReservedSlots& each : pool.reserved) reserved += each.slots;
      const std::int64_t slots = pool.processes * pool.slots;
      if (reserved >= slots)
        pool_problem(i, "reserved",
                     fmt::format("keeps {} slots of {}, and at least one must be left for all others",
                                 reserved, slots));
    }
  }

  // One without a bound would be read as if it held something.
  void check_limits() {
    for (std::size_t i = 0; i < result_.settings.limits.size(); ++i) {
      const LimitSettings& limit = result_.settings.limits[i];
      const std::string key = fmt::format("{}[{}]", kLimitSection, i);
      if (limit.per == "key" && !limit.rate.empty())
        problem(
            file_and_line(sources_.file, limit_lines_[i]), key,
            fmt::format("{} has per = \"key\" and a rate: of a key it says how many run, and no rate", key));
      if (limit.running > 0 || !limit.rate.empty()) continue;
      problem(file_and_line(sources_.file, limit_lines_[i]), key,
              fmt::format("{} allows anything: say running = 2, or rate = \"100/1m\", or both", key));
    }
  }

  void check_listening() {
    const HttpSettings& http = result_.settings.http;
    const auto address = parse_listen_address(http.probe_listen);
    if (!address || address->is_local() || http.allow_remote) return;
    const std::string key = "http.probe_listen";
    problem(provenance_[key].where, key,
            fmt::format("{} = \"{}\": other machines may reach this address, and it has neither password nor "
                        "encryption; listen on unix:PATH or 127.0.0.1, or say http.allow_remote = true",
                        key, http.probe_listen));
  }

  template <class Owner>
  void list_value(const Setting<Owner>& setting, const Owner& owner, const std::string& key) {
    const Provenance& provenance = provenance_[key];
    result_.values.push_back({key, value_in(setting, owner), provenance.origin, provenance.where});
  }

  void list_values() {
    for (const auto& setting : plain_settings())
      list_value(setting, result_.settings, full_key(setting.section, setting.key));
    for (std::size_t i = 0; i < result_.settings.pools.size(); ++i)
      for (const auto& setting : pool_settings())
        list_value(setting, result_.settings.pools[i], fmt::format("pool[{}].{}", i, setting.key));
    for (std::size_t i = 0; i < result_.settings.schedules.size(); ++i)
      for (const auto& setting : schedule_settings())
        list_value(setting, result_.settings.schedules[i], fmt::format("schedule[{}].{}", i, setting.key));
    for (std::size_t i = 0; i < result_.settings.limits.size(); ++i)
      for (const auto& setting : limit_settings())
        list_value(setting, result_.settings.limits[i], fmt::format("limit[{}].{}", i, setting.key));
  }

  const SettingsSources& sources_;
  std::filesystem::path config_dir_;
  LoadedSettings result_;
  std::map<std::string, Provenance> provenance_;
  std::vector<int> pool_lines_;
  std::vector<int> schedule_lines_;
  std::vector<int> limit_lines_;
  std::vector<std::string> others_;  // variables that are no settings, nor near one
};

}  // namespace

std::string_view name_of(Origin origin) {
  switch (origin) {
    case Origin::default_value:
      return "default";
    case Origin::file:
      return "file";
    case Origin::environment:
      return "environment";
    case Origin::option:
      return "option";
  }
  return "default";
}

LoadedSettings read_settings(const SettingsSources& sources) { return Loader(sources).load(); }

LoadedSettings load_settings(const SettingsSources& sources) {
  LoadedSettings loaded = read_settings(sources);
  if (loaded.problems.empty()) return loaded;
  std::string message;
  for (const Problem& problem : loaded.problems) message += (message.empty() ? "" : "\n") + problem.text();
  raise(ErrorCode::bad_configuration, std::move(message));
}

std::vector<std::pair<std::string, std::string>> environment_of_process() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (text.starts_with(kEnvironmentFront) && equals != std::string_view::npos)
      variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::filesystem::path config_file_to_read(std::string_view option,
                                          std::span<const std::pair<std::string, std::string>> environment) {
  if (!option.empty()) return option;
  for (const auto& [name, value] : environment)
    if (name == "TENURE_CONFIG" && !value.empty()) return value;
  std::error_code ignored;
  return std::filesystem::exists(kDefaultConfigFile, ignored) ? std::filesystem::path(kDefaultConfigFile)
                                                              : std::filesystem::path{};
}

}  // namespace tenure::config
