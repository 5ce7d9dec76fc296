#include "commands.hpp"
#include "listing.hpp"
#include "nouns.hpp"
#include "schedules.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/check.hpp>
#include <tenure/config/setting_table.hpp>
#include <tenure/queue/declared_schedules.hpp>
#include <tenure/tenancy/migrations.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tenure::cli {
namespace {

using config::EffectiveValue;
using config::Origin;
using config::Problem;
using config::SettingInfo;

void write_problems(json::Writer& writer, std::string_view key, const std::vector<Problem>& problems) {
  writer.key(key).begin_array();
  for (const Problem& problem : problems) {
    writer.begin_object();
    write_text(writer, "where", problem.where);
    write_text(writer, "key", problem.key);
    write_text(writer, "message", problem.message);
    writer.end_object();
  }
  writer.end_array();
}

std::string check_json(const config::LoadedSettings& loaded) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object()
      .key("schema")
      .string("tenure.config.check/1")
      .key("ok")
      .boolean(loaded.problems.empty());
  write_problems(writer, "problems", loaded.problems);
  write_problems(writer, "warnings", loaded.warnings);
  writer.end_object();
  return out;
}

std::string check_text(const config::LoadedSettings& loaded, std::string_view file, const ShowStyle& style) {
  std::string out;
  for (const Problem& problem : loaded.problems) out += "FAIL  " + problem.text() + '\n';
  for (const Problem& warning : loaded.warnings) out += "warn  " + warning.text() + '\n';
  const auto changed = std::count_if(loaded.values.begin(), loaded.values.end(),
                                     [](const auto& v) { return v.origin != Origin::default_value; });
  if (loaded.problems.empty())
    out += fmt::format("ok    {}: {} stated, {}\n", file, counted(changed, "setting", style),
                       counted(std::ssize(loaded.settings.pools), "pool", style));
  return out;
}

std::string file_name(const Session& session, const Environment& environment) {
  const auto file = config::config_file_to_read(session.option("config"), environment.variables);
  return file.empty() ? "no file, defaults only" : escaped(file.string());
}

std::string origin_text(const EffectiveValue& value) {
  return std::string(name_of(value.origin)) + (value.where.empty() ? "" : " " + value.where);
}

constexpr std::size_t kValueColumn = 13;  // of what explains a setting

std::string explain_text(const SettingInfo& info, const std::vector<EffectiveValue>& values) {
  const auto line = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<{}}{}\n", name, kValueColumn, value);
  };
  const auto sentences = [](std::string_view name, std::string_view text) {
    return wrapped(fmt::format("{:<{}}{}", name, kValueColumn, text), kHelpColumns, kValueColumn) + '\n';
  };
  std::string out = line("setting", info.key);
  out += line("type", info.type);
  out += line("default", info.default_value.empty() ? "none, it must be stated" : info.default_value);
  out += sentences("limits", info.limits);
  if (!info.environment.empty()) out += line("environment", info.environment);
  out += line("change", "is taken over " + std::string(config::text_of(info.taken_over)));
  for (const EffectiveValue& value : values)
    out += line("now", fmt::format("{}  ({}, {})", escaped(value.value), value.key, origin_text(value)));
  return out + sentences("help", info.help);
}

void write_value(json::Writer& writer, const EffectiveValue& value) {
  writer.begin_object();
  write_text(writer, "key", value.key);
  write_text(writer, "value", value.value);
  writer.key("origin").string(name_of(value.origin));
  write_text(writer, "where", value.where);
  writer.end_object();
}

std::string explain_json(const SettingInfo& info, const std::vector<EffectiveValue>& values) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.config.explain/1").key("item").begin_object();
  writer.key("key").string(info.key).key("type").string(info.type).key("default").string(info.default_value);
  writer.key("limits").string(info.limits).key("environment").string(info.environment);
  writer.key("needs_restart").boolean(info.taken_over == config::TakenOver::at_start);
  writer.key("taken_over")
      .string(config::text_of(info.taken_over))
      .key("help")
      .string(info.help)
      .key("values")
      .begin_array();
  for (const EffectiveValue& value : values) write_value(writer, value);
  writer.end_array().end_object().end_object();
  return out;
}

// "pool[1].slots" is a value of the setting "pool.slots".
std::string setting_of(const std::string& key) {
  const std::size_t open = key.find('[');
  const std::size_t close = key.find(']');
  if (open == std::string::npos || close == std::string::npos || close < open) return key;
  return key.substr(0, open) + key.substr(close + 1);
}

// As whoever makes a tenant reads them, and each Client::open.
void check_migrations(config::LoadedSettings& loaded) {
  if (loaded.settings.tenants.migrations.empty()) return;
  try {
    static_cast<void>(read_migrations(loaded.settings.tenants.migrations));
  } catch (const BadConfiguration& error) {
    const Failure& failure = error.failure();
    loaded.problems.push_back(
        {"this machine", "tenants.migrations",
         fmt::format("tenants.migrations: {} (at {})", failure.message, failure.where)});
  }
}

bool is_listed(const std::vector<config::PoolSettings>& pools, std::string_view queue) {
  return std::ranges::any_of(pools, [&](const config::PoolSettings& pool) {
    return std::ranges::find(pool.queues, queue) != pool.queues.end();
  });
}

constexpr std::string_view kControlDatabase = "the control database";

// Names that pools take or leave out, each once.
std::vector<std::string> strangers_in(const std::vector<config::PoolSettings>& pools,
                                      queue::JobReader& reader) {
  std::vector<std::string> strangers;
  for (const config::PoolSettings& pool : pools)
    for (const std::string& entry : pool.tenants) {
      const std::string name = entry.starts_with('!') ? entry.substr(1) : entry;
      const auto tenant = TenantName::parse(name);
      if (name != queue::kUntenantedName && (!tenant || !reader.tenant(*tenant))) strangers.push_back(name);
    }
  sort_uniquely(strangers);
  return strangers;
}

struct QueuesInUse {
  std::vector<std::string> strangers;  // that pools name, and no tenant has the name
  std::vector<queue::QueueRecord> queues;
  std::vector<std::string> defaults;  // of the kinds that the last worker programs have named
};

// What cannot be looked at is one warning of several: the rest of the check stands.
QueuesInUse queues_in_use(Session& session, config::LoadedSettings& loaded) {
  QueuesInUse found;
  try {
    session.environment().look_at_store(loaded.settings.store.path)->read([&](queue::JobReader& reader) {
      found.queues = reader.queues();
      found.strangers = strangers_in(loaded.settings.pools, reader);
      for (const queue::PoolRecord& pool : reader.pools())
        found.defaults.insert(found.defaults.end(), pool.default_queues.begin(), pool.default_queues.end());
    });
  } catch (const Error& error) {
    if (error.code() == ErrorCode::schema_mismatch)
      loaded.problems.push_back({std::string(kControlDatabase), "", error.what()});
    else if (error.code() != ErrorCode::database_missing)
      loaded.warnings.push_back({std::string(kControlDatabase), "",
                                 std::string("its queues cannot be looked at: ") + error.what()});
  }
  sort_uniquely(found.defaults);
  return found;
}

// A program that has no pools (an application, a machine for commands) says nothing of who performs what.
void warn_of_queues(Session& session, config::LoadedSettings& loaded) {
  if (loaded.settings.pools.empty()) return;
  const auto [strangers, queues, defaults] = queues_in_use(session, loaded);
  for (const std::string& name : strangers)
    loaded.warnings.push_back(
        {std::string(kControlDatabase), "pool.tenants",
         fmt::format("pool.tenants: there is no tenant {}; it counts once it is created", escaped(name))});
  const auto warn = [&](std::string_view queue, const std::string& why) {
    loaded.warnings.push_back(
        {std::string(kControlDatabase), "pool.queues",
         fmt::format("pool.queues: no pool lists the queue {}, {}", escaped(queue), why)});
  };
  std::vector<std::string> named;
  for (const queue::QueueRecord& queue : queues) {
    const std::int64_t waiting = queue.scheduled + queue.ready + queue.held;
    if (waiting == 0 || is_listed(loaded.settings.pools, queue.name)) continue;
    warn(queue.name, fmt::format("in which {} wait{}", counted(waiting, "job", session.style()),
                                 waiting == 1 ? "s" : ""));
    named.push_back(queue.name);
  }
  for (const std::string& queue : defaults)
    if (!is_listed(loaded.settings.pools, queue) && std::ranges::find(named, queue) == named.end())
      warn(queue, "to which a kind of the worker program sends its jobs");
}

// One bad entry keeps nobody from work, and so it is none of the problems.
void warn_of_schedules(config::LoadedSettings& loaded) {
  for (const queue::DeclaredSchedule& declared : queue::declared_schedules(loaded.settings.schedules))
    if (const std::string problem = problem_of(declared); !problem.empty())
      loaded.warnings.push_back({"schedule " + escaped(declared.entry.name), "schedule",
                                 fmt::format("it will have no ticks: {}", escaped(problem, 500))});
}

}  // namespace

ExitCode config_check(Session& session) {
  config::LoadedSettings loaded = session.read_settings();
  if (loaded.problems.empty()) {
    config::MachineFindings machine = config::check_machine(
        loaded.settings,
        {.descriptors_limit = session.environment().descriptors_limit, .credentials = session.credentials()});
    loaded.problems = machine.problems;
    if (!session.environment().has_http && !loaded.settings.http.probe_listen.empty())
      loaded.problems.push_back({"this build", "http.probe_listen", std::string(config::kWithoutHttp)});
    loaded.warnings.insert(loaded.warnings.end(), machine.warnings.begin(), machine.warnings.end());
    if (machine.problems.empty()) check_migrations(loaded);
    if (loaded.problems.empty()) warn_of_queues(session, loaded);
    warn_of_schedules(loaded);
  }
  if (session.json()) session.print_json(check_json(loaded));
  else session.print(check_text(loaded, file_name(session, session.environment()), session.style()));
  return loaded.problems.empty() ? ExitCode::done : ExitCode::configuration;
}

ExitCode config_sample(Session& session) {
  session.print_document("tenure.config.sample/1", config::sample());
  return ExitCode::done;
}

ExitCode config_explain(Session& session) {
  const std::string& key = session.words().front();
  const auto info = config::find_setting(setting_of(key));
  if (!info) {
    const auto near = config::nearest_setting(key);
    raise(ErrorCode::bad_options, fmt::format("there is no setting '{}'{}", escaped(key, 64),
                                              near ? fmt::format("; did you mean {}?", *near) : ""));
  }
  config::LoadedSettings loaded = session.read_settings();
  const bool is_of_one_pool = key != setting_of(key);
  std::erase_if(loaded.values, [&](const EffectiveValue& value) {
    return (is_of_one_pool ? value.key : setting_of(value.key)) != key;
  });
  if (is_of_one_pool && loaded.values.empty())
    raise(ErrorCode::bad_options,
          fmt::format("there is no {}: the configuration has {}", escaped(key, 64),
                      counted(std::ssize(loaded.settings.pools), "pool", session.style())));
  if (session.json()) session.print_json(explain_json(*info, loaded.values));
  else session.print(explain_text(*info, loaded.values));
  return ExitCode::done;
}

ExitCode config_show(Session& session) {
  (void)session.settings();  // what does not load is not in force
  const config::LoadedSettings loaded = session.read_settings();
  if (session.json()) {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().key("schema").string("tenure.config.show/1").key("items").begin_array();
    for (const EffectiveValue& value : loaded.values) write_value(writer, value);
    writer.end_array().end_object();
    session.print_json(std::move(out));
    return ExitCode::done;
  }
  std::vector<std::vector<std::string>> rows;
  for (const EffectiveValue& value : loaded.values)
    rows.push_back({value.key, escaped(value.value), origin_text(value)});
  session.print(
      table_text({{"KEY", false, true}, {"VALUE", false, true}, {"FROM"}}, rows, session.table_style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
