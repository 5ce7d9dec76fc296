#include "listing.hpp"
#include "migration_runs.hpp"
#include "nouns.hpp"
#include "progress.hpp"
#include "scratch_folder.hpp"
#include "tenant_tree.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/adoption.hpp>
#include <tenure/tenancy/migrations.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

// `tenure tenant adopt`: databases that somebody else has made become tenants, where they lie.
namespace tenure::cli {
namespace {

enum class AdoptResult : std::uint8_t { adopted, adoptable, known, refused };

std::string_view name_of(AdoptResult result) {
  switch (result) {
    case AdoptResult::adopted:
      return "adopted";
    case AdoptResult::adoptable:
      return "adoptable";
    case AdoptResult::known:
      return "known";
    case AdoptResult::refused:
      return "refused";
  }
  return "unknown";
}

struct AdoptedFile {
  std::string name;  // as the path has it
  std::string path;
  AdoptResult result = AdoptResult::refused;
  std::int64_t generation = 0;  // 0: of none
  std::int64_t size_bytes = 0;
  std::size_t migrations = 0;
  std::string why = {};  // it is refused
};

class TreeAdoption {
 public:
  explicit TreeAdoption(Session& session)
      : session_(session), files_(session.settings().tenants.path), is_dry_run_(session.has("dry-run")) {
    const config::Settings& settings = session.settings();
    options_.application = settings.application.name;
    if (settings.tenants.migrations.empty()) return;
    options_.migrations = read_migrations(settings.tenants.migrations);
    const ScratchFolder scratch(scratch_parent(session.environment()));
    options_.schemas = schemas_of_steps(options_.migrations, scratch.path());
  }

  ExitCode run() {
    const auto wanted = wanted_names();
    const auto is_wanted = [&](const std::string& name) {
      return wanted.empty() || std::ranges::find(wanted, name) != wanted.end();
    };
    if (!is_dry_run_) static_cast<void>(session_.registry());
    Progress progress(session_, number_text);
    std::int64_t looked_at = 0;
    const auto tree = files_of_tenants(files_);
    for (const TreeFile& file : tree) {
      if (is_wanted(file.name.text())) found_.push_back(adopt(file));
      progress.show(++looked_at, std::ssize(tree));
    }
    for (const MisplacedFile& file : misplaced_files(files_))
      if (is_wanted(file.name))
        found_.push_back({.name = file.name, .path = file.path.string(), .why = file.why});
    refuse_missing(wanted);
    if (count(AdoptResult::adopted) > 0) session_.wake();
    tell();
    return count(AdoptResult::refused) > 0 ? ExitCode::refused : ExitCode::done;
  }

 private:
  [[nodiscard]] std::vector<std::string> wanted_names() const {
    std::vector<std::string> names;
    for (const std::string& word : session_.words())
      names.push_back(value_or_raise(TenantName::parse(word)).text());
    return names;
  }

  void refuse_missing(const std::vector<std::string>& wanted) {
    for (const std::string& name : wanted)
      if (std::ranges::find(found_, name, &AdoptedFile::name) == found_.end())
        found_.push_back({.name = name,
                          .path = files_.path_for(TenantName{name}).string(),
                          .why = "no file lies at the tenant's place"});
  }

  // Before the first tenant there may be no control database, which a dry run does not make.
  std::optional<TenantRecord> known(const TenantName& name) {
    if (is_dry_run_ && !std::filesystem::exists(session_.store_path())) return std::nullopt;
    std::optional<queue::TenantSummary> summary;
    session_.readable_store().read([&](queue::JobReader& reader) { summary = reader.tenant(name); });
    if (!summary || summary->tenant.state == TenantState::deleted) return std::nullopt;
    return summary->tenant;
  }

  // An item of a batch: what is wrong with one file is said of it, and the others go on.
  AdoptedFile adopt(const TreeFile& file) {
    AdoptedFile adopted{.name = file.name.text(), .path = file.path.string()};
    const auto record = known(file.name);
    if (record && record->state != TenantState::provisioning) {
      adopted.result = AdoptResult::known;
      adopted.generation = record->generation.value;
      // One that was killed behind its last commit has left the lock; whoever has it now removes it himself.
      std::error_code ignored;
      AdoptedFile again = adopted;
      if (!is_dry_run_ && std::filesystem::exists(files_.building_lock_for(file.name), ignored))
        take(file.name, again);
      return adopted;
    }
    if (record && !is_dry_run_) {  // begun before: it goes on, and looks by itself
      take(file.name, adopted);
      return adopted;
    }
    const auto looked = look_at_database(files_, file.name, options_);
    if (!looked) {
      adopted.why = looked.error().text();
      return adopted;
    }
    adopted.size_bytes = looked->size_bytes;
    adopted.migrations = looked->migrations;
    if (looked->stamp && !record) {
      adopted.generation = looked->stamp->generation.value;
      adopted.why = fmt::format(
          "it is generation {} of a tenant that the registry does not have: tenure doctor --rebuild-registry",
          adopted.generation);
      return adopted;
    }
    adopted.result = AdoptResult::adoptable;
    if (!is_dry_run_) take(file.name, adopted);
    return adopted;
  }

  void take(const TenantName& name, AdoptedFile& adopted) {
    try {
      const Adopted done =
          adopt_tenant(session_.registry(), files_, session_.environment().clock, name, options_);
      adopted.generation = done.tenant.generation.value;
      adopted.result = done.existed ? AdoptResult::known : AdoptResult::adopted;
    } catch (const Error& error) {  // as adopt() says
      adopted.result = AdoptResult::refused;
      adopted.why = error.failure().text();
    }
  }

  [[nodiscard]] std::int64_t count(AdoptResult result) const {
    return std::ranges::count(found_, result, &AdoptedFile::result);
  }

  void tell() {
    if (session_.json()) return session_.print_json(json());
    std::vector<std::vector<std::string>> rows;
    for (const AdoptedFile& file : found_) {
      if (file.result == AdoptResult::known) continue;
      rows.push_back({escaped(file.name), std::string(name_of(file.result)),
                      file.generation == 0 ? "-" : std::to_string(file.generation),
                      bytes_text(file.size_bytes, session_.style()), std::to_string(file.migrations),
                      escaped(file.path, kShownMax), file.why.empty() ? "-" : escaped(file.why, kShownMax)});
    }
    if (!rows.empty())
      session_.print(table_text({{.title = "TENANT", .kept = true},
                                 {.title = "RESULT", .kept = true},
                                 {.title = "GENERATION", .right = true, .rank = 1},
                                 {.title = "SIZE", .right = true, .rank = 2},
                                 {.title = "SCHEMA", .right = true, .rank = 3},
                                 {.title = "FILE", .cut = true, .rank = 4},
                                 {.title = "WHY", .cut = true}},
                                rows, session_.table_style()));
    session_.print(fmt::format(
        "{} {}, {} known already, {} refused\n",
        number_text(count(is_dry_run_ ? AdoptResult::adoptable : AdoptResult::adopted), session_.style()),
        is_dry_run_ ? "can be adopted" : "adopted", number_text(count(AdoptResult::known), session_.style()),
        number_text(count(AdoptResult::refused), session_.style())));
  }

  [[nodiscard]] std::string json() const {
    std::string out;
    json::Writer writer(out);
    writer.begin_object().key("schema").string("tenure.tenant.adopt/1").key("items").begin_array();
    for (const AdoptedFile& file : found_) {
      writer.begin_object();
      write_text(writer, "name", file.name);
      write_text(writer, "file", file.path);
      writer.key("result").string(name_of(file.result)).key("generation");
      if (file.generation == 0) writer.null();
      else writer.integer(file.generation);
      writer.key("size_bytes").integer(file.size_bytes);
      writer.key("migrations").integer(static_cast<std::int64_t>(file.migrations)).key("why");
      if (file.why.empty()) writer.null();
      else writer.string(to_utf8(file.why));
      writer.end_object();
    }
    writer.end_array().key("dry_run").boolean(is_dry_run_).end_object();
    return out;
  }

  static constexpr std::size_t kShownMax = 4096;

  Session& session_;
  const TenantFiles files_;
  const bool is_dry_run_;
  AdoptionOptions options_;
  std::vector<AdoptedFile> found_;
};

}  // namespace

ExitCode tenant_adopt(Session& session) { return TreeAdoption(session).run(); }

}  // namespace tenure::cli
