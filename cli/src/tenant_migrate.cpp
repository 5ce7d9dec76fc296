#include "listing.hpp"
#include "migration_runs.hpp"
#include "nouns.hpp"
#include "progress.hpp"
#include "scratch_folder.hpp"
#include "tenant_migrations.hpp"
#include "tenant_outbox.hpp"
#include "tenants.hpp"
#include "written_tenants.hpp"

#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/base/text.hpp>
#include <tenure/queue/retry_rule.hpp>
#include <tenure/tenancy/migrations.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <vector>

// `tenure tenant migrate`: the steps that tenants' databases lack, wave by wave.
namespace tenure::cli {
namespace {

constexpr std::string_view kOneWave = "100%";

std::int64_t number_option(const Session& session, std::string_view option, std::int64_t without,
                           std::int64_t least, std::int64_t most) {
  if (!session.has(option)) return without;
  const std::string_view text = session.option(option);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most)
    raise(ErrorCode::bad_options, fmt::format("--{} wants a whole number from {} to {}, not \"{}\"", option,
                                              least, most, escaped(text)));
  return number;
}

// Whose database is there and may be written to; one that has failed by a migration may be healed by the next.
bool may_be_migrated(Session& session, const queue::TenantSummary& summary) {
  const TenantRecord& tenant = summary.tenant;
  if (tenant.state == TenantState::active || tenant.state == TenantState::paused) return true;
  if (!failed_migration(tenant, summary.migration)) return false;
  bool is_older_copy = false;
  session.readable_store().read([&](queue::JobReader& reader) {
    is_older_copy = behind_file(reader, tenant.name, tenant.generation).has_value();
  });
  return !is_older_copy;
}

// Whether it is the tenant that has failed: a step of its migration, and nothing that passes.
bool is_failure_of_tenant(const TenantResult& result) {
  return result.failure && !result.done.failed_step.empty() && !queue::is_trouble(result.failure->code) &&
         result.failure->code != ErrorCode::tenant_busy;
}

struct ReadOnlyTenant {
  TenantName name;
  std::int64_t schema = 0;  // 0 also where it cannot be read
};

// Of one that is paused its stamp alone says so. What cannot be read fails where it is migrated.
std::optional<ReadOnlyTenant> read_only_tenant(const TenantFiles& files, const TenantRecord& tenant) {
  bool is_read_only = tenant.state == TenantState::read_only;
  if (!is_read_only && tenant.state != TenantState::paused) return std::nullopt;
  ReadOnlyTenant found{tenant.name};
  try {
    files.refuse_links(tenant.name);
    sqlite::look_at(files.path_for(tenant.name), [&](sqlite::Connection& connection) {
      const std::optional<Stamp> stamp = read_stamp(connection);
      is_read_only = is_read_only || (stamp && stamp->state == TenantState::read_only);
      found.schema = sqlite::schema_version(connection);
    });
  } catch (const Error&) {  // NOLINT(bugprone-empty-catch)
  }
  return is_read_only ? std::optional{std::move(found)} : std::nullopt;
}

std::string words_to_let_write(const TenantName& tenant) {
  return fmt::format("tenure tenant set {} read_only=false", tenant.text());
}

struct ChosenTenants {
  std::vector<TenantToMigrate> ready;
  std::map<TenantName, TenantNumber> numbers;
  std::vector<TenantResult> settled;      // before anything is migrated
  std::vector<ReadOnlyTenant> read_only;  // nobody's failure: an operator wants it so
};

ChosenTenants chosen_tenants(Session& session, std::int64_t to) {
  const TenantFilter filter(session);
  const TenantFiles files(session.settings().tenants.path);
  ChosenTenants chosen;
  for (const queue::TenantSummary& summary :
       tenants_where(session, [&](queue::TenantSummary& tenant) { return filter.matches(tenant); })) {
    const TenantRecord& tenant = summary.tenant;
    chosen.numbers.emplace(tenant.name, tenant.number);
    const auto read_only = read_only_tenant(files, tenant);
    if (read_only && read_only->schema == to) chosen.settled.push_back({tenant.name, {.from = to, .to = to}});
    else if (read_only) chosen.read_only.push_back(*read_only);
    else if (may_be_migrated(session, summary)) chosen.ready.push_back({tenant.name, tenant.generation});
    else
      chosen.settled.push_back({tenant.name,
                                {},
                                Failure{ErrorCode::tenant_not_ready,
                                        fmt::format("it is {}", name_of(tenant.state)), tenant.name.text()}});
  }
  return chosen;
}

struct FleetOutcome {
  std::vector<TenantResult> results;
  std::size_t migrated = 0, already = 0, failed = 0, left = 0, waves = 0;

  void add(TenantResult result) {
    ++(result.failure ? failed : result.done.steps.empty() ? already : migrated);
    results.push_back(std::move(result));
  }
};

class FleetCommand {
 public:
  explicit FleetCommand(Session& session)
      : session_(session),
        request_(request_of(session)),
        failures_max_(number_option(session, "max-failures", 0, 0, 1'000'000)),
        tenants_(chosen_tenants(session, request_.options.to)),
        ends_(wave_ends(session.has("waves") ? session.option("waves") : kOneWave, tenants_.ready.size())) {}

  ExitCode run() {
    for (TenantResult& settled : tenants_.settled) outcome_.add(std::move(settled));
    if (!is_agreed()) return ExitCode::refused;
    if (!session_.has("dry-run")) record();
    migrate();
    tell();
    return outcome_.failed + outcome_.left > 0 ? ExitCode::refused : ExitCode::done;
  }

 private:
  static MigrationRequest request_of(Session& session) {
    const config::Settings& settings = session.settings();
    if (settings.tenants.migrations.empty())
      raise(ErrorCode::bad_options, "the configuration names no folder of migrations (tenants.migrations)");
    MigrationRequest request{.application = settings.application.name,
                             .tenants_path = settings.tenants.path,
                             .migrations = settings.tenants.migrations,
                             .descriptors_max = static_cast<std::size_t>(settings.tenants.descriptors_max)};
    const auto newest = std::ssize(read_migrations(request.migrations));
    request.options.to = number_option(session, "to", newest, 1, newest);
    request.options.threads =
        static_cast<int>(number_option(session, "parallel", 1, 1, kMigrationThreadsMax));
    return request;
  }

  // One tenant that was named is what was meant.
  bool is_agreed() {
    if (tenants_.ready.size() < 2 || session_.has("yes") || session_.has("dry-run")) return true;
    session_.note(fmt::format("{} tenants would go to schema {}",
                              number_text(std::ssize(tenants_.ready), session_.style()),
                              request_.options.to));
    const auto answer = session_.ask("Migrate them?");
    if (!answer) raise(ErrorCode::bad_options, "say --yes to migrate them, since nobody can be asked here");
    if (!*answer) session_.note("nothing was changed");
    return *answer;
  }

  // Before the first one: whoever is killed on the way has changed some.
  void record() {
    if (tenants_.ready.empty()) return;
    const std::string words = fmt::format("{}", fmt::join(session_.words(), " "));
    session_.change([&](queue::StoreWriter&) {
      return Changed{std::ssize(tenants_.ready),
                     fmt::format("{} to schema {}", words.empty() ? "all" : words, request_.options.to)};
    });
  }

  void migrate() {
    std::optional<ScratchFolder> scratch;
    if (session_.has("dry-run") || session_.has("program"))
      scratch.emplace(scratch_parent(session_.environment()));
    if (session_.has("dry-run")) request_.options.scratch = scratch->path();
    Progress progress(session_, number_text);
    const auto runner = migration_runner(session_, scratch ? scratch->path() : "");
    std::size_t begun = 0;
    for (const std::size_t end : ends_) {
      if (std::cmp_greater(outcome_.failed, failures_max_) && begun > 0) break;
      if (end == begun) continue;
      request_.tenants.assign(tenants_.ready.begin() + static_cast<std::ptrdiff_t>(begun),
                              tenants_.ready.begin() + static_cast<std::ptrdiff_t>(end));
      runner->run(request_, [&](const TenantResult& result) {
        outcome_.add(result);
        note(result);
        progress.show(std::ssize(outcome_.results),
                      std::ssize(tenants_.ready) + std::ssize(tenants_.settled));
      });
      begun = end;
      ++outcome_.waves;
    }
    outcome_.left = tenants_.ready.size() + tenants_.settled.size() - outcome_.results.size();
    std::ranges::sort(outcome_.results, {}, [](const TenantResult& each) { return each.tenant.text(); });
  }

  // In the control database: what was done, whether its jobs may go, whether the tenant has failed.
  void note(const TenantResult& result) {
    if (session_.has("dry-run") || (result.failure && !is_failure_of_tenant(result))) return;
    const std::int64_t now = result.done.from + std::ssize(result.done.steps);
    const queue::MigrationRecord migration{
        .tenant = tenants_.numbers.at(result.tenant),
        .from = result.done.from,
        .to = now,
        .ended = session_.environment().clock.wall(),
        .took = result.took,
        .error = result.failure ? text_of(*result.failure) : std::string()};
    bool may_go = false;
    session_.change([&](queue::StoreWriter& writer) {
      may_go = writer.note_migration(migration);
      return Changed{};
    });
    if (may_go) session_.wake();
  }

  void tell() {
    if (session_.json()) return session_.print_json(json());
    std::vector<std::vector<std::string>> rows;
    for (const TenantResult& result : outcome_.results)
      if (result.failure) rows.push_back(row_of(result));
    for (const ReadOnlyTenant& tenant : tenants_.read_only)
      rows.push_back({tenant.name.text(), schema_text(tenant.schema), std::to_string(request_.options.to),
                      fmt::format("left out, it is read-only: {}, migrate it, and set it again",
                                  words_to_let_write(tenant.name))});
    if (!rows.empty())
      session_.print(
          table_text({{"TENANT", false, true}, {"FROM", true}, {"TO", true}, {"RESULT", false, false, true}},
                     rows, session_.table_style()));
    session_.print(summary());
  }

  [[nodiscard]] std::vector<std::string> row_of(const TenantResult& result) const {
    const std::int64_t now = result.done.from + std::ssize(result.done.steps);
    return {result.tenant.text(), schema_text(result.done.from), std::to_string(request_.options.to),
            fmt::format("failed, {}: {}", result.done.steps.empty() ? "unchanged" : fmt::format("at {}", now),
                        escaped(text_of(*result.failure)))};
  }

  static std::string schema_text(std::int64_t schema) { return schema == 0 ? "-" : std::to_string(schema); }

  static std::string text_of(const Failure& failure) {
    return failure.where.empty() ? failure.message : failure.where + ": " + failure.message;
  }

  [[nodiscard]] std::string summary() const {
    const bool is_dry = session_.has("dry-run");
    std::string text = fmt::format("{} {}migrated, {} failed, {} left", number(outcome_.migrated),
                                   is_dry ? "would be " : "", number(outcome_.failed), number(outcome_.left));
    if (outcome_.already > 0)
      text += fmt::format("; {} had schema {} already", number(outcome_.already), request_.options.to);
    if (!tenants_.read_only.empty())
      text += fmt::format("; {} read-only, left out", number(tenants_.read_only.size()));
    if (outcome_.failed + outcome_.left > 0 && !is_dry) text += "; again: " + again();
    return text + "\n";
  }

  // What is done is done: the same command goes on.
  [[nodiscard]] std::string again() const {
    std::string words = fmt::format("{}", fmt::join(session_.words(), " "));
    if (outcome_.failed == 1 && outcome_.left == 0)
      for (const TenantResult& result : outcome_.results)
        if (result.failure) words = "name=" + result.tenant.text();
    return fmt::format("tenure tenant migrate{}{} --to {}", words.empty() ? "" : " ", words,
                       request_.options.to);
  }

  [[nodiscard]] std::string number(std::size_t count) const {
    return number_text(static_cast<std::int64_t>(count), session_.style());
  }

  [[nodiscard]] std::string json() const {
    std::string out;
    json::Writer writer(out);
    const auto count = [&](std::string_view key, std::size_t value) {
      writer.key(key).integer(static_cast<std::int64_t>(value));
    };
    writer.begin_object()
        .key("schema")
        .string("tenure.tenant.migrate/1")
        .key("dry_run")
        .boolean(session_.has("dry-run"));
    writer.key("to").integer(request_.options.to);
    count("migrated", outcome_.migrated);
    count("already", outcome_.already);
    count("failed", outcome_.failed);
    count("left", outcome_.left);
    count("read_only", tenants_.read_only.size());
    count("waves", outcome_.waves);
    writer.key("items").begin_array();
    for (const TenantResult& result : outcome_.results) write_result(writer, result);
    for (const ReadOnlyTenant& tenant : tenants_.read_only) write_read_only(writer, tenant);
    writer.end_array().end_object();
    return out;
  }

  static void write_result(json::Writer& writer, const TenantResult& result) {
    writer.begin_object().key("name").string(result.tenant.text()).key("from").integer(result.done.from);
    writer.key("schema").integer(result.done.from + std::ssize(result.done.steps)).key("steps").begin_array();
    for (const std::string& step : result.done.steps) writer.string(to_utf8(step));
    writer.end_array().key("result").string(result.failure              ? "failed"
                                            : result.done.steps.empty() ? "already"
                                                                        : "migrated");
    if (result.failure) {
      writer.key("code").string(name_of(result.failure->code));
      write_text(writer, "message", result.failure->message);
      write_text(writer, "where", result.failure->where);
    }
    writer.end_object();
  }

  static void write_read_only(json::Writer& writer, const ReadOnlyTenant& tenant) {
    writer.begin_object().key("name").string(tenant.name.text()).key("from").integer(tenant.schema);
    writer.key("schema")
        .integer(tenant.schema)
        .key("steps")
        .begin_array()
        .end_array()
        .key("result")
        .string("read_only");
    writer.key("change").string(words_to_let_write(tenant.name)).end_object();
  }

  Session& session_;
  MigrationRequest request_;
  const std::int64_t failures_max_;
  ChosenTenants tenants_;
  const std::vector<std::size_t> ends_;
  FleetOutcome outcome_;
};

}  // namespace

ExitCode tenant_migrate(Session& session) {
  // An interrupted run may have left a log that nobody who only looks can read.
  if (!session.has("dry-run")) session.open_for_change();
  return FleetCommand(session).run();
}

}  // namespace tenure::cli
