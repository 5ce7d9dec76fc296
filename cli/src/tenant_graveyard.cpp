#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <optional>
#include <vector>

// `tenure tenant graveyard`: which deleted tenants can be taken back, and until when.
namespace tenure::cli {
namespace {

using queue::DeletionRecord;

constexpr std::size_t kDeletionsPage = 500;

struct Grave {
  DeletionRecord deletion;
  bool has_file = false;
};

// Each generation for itself, in the order in which they were made.
std::vector<Grave> graves_of(Session& session, const std::optional<TenantName>& name) {
  const config::Settings& settings = session.settings();
  const Graveyard graveyard(TenantFiles(settings.tenants.path), settings.application.name);
  std::vector<Grave> graves;
  session.readable_store().read([&](queue::JobReader& reader) {
    for (auto page = reader.open_deletions(TenantNumber{0}, kDeletionsPage); !page.empty();
         page = reader.open_deletions(page.back().tenant.number, kDeletionsPage))
      for (const DeletionRecord& deletion : page)
        if (!name || deletion.tenant.name == *name) graves.push_back({.deletion = deletion});
  });
  for (Grave& grave : graves)
    grave.has_file = graveyard.has(grave.deletion.tenant.name, grave.deletion.tenant.generation);
  return graves;
}

std::string graves_table(const std::vector<Grave>& graves, Session& session) {
  const ShowStyle& style = session.style();
  std::vector<std::vector<std::string>> rows;
  for (const auto& [deletion, has_file] : graves)
    rows.push_back({escaped(deletion.tenant.name.text()), std::to_string(deletion.tenant.generation.value),
                    std::string(name_of(deletion.step)), time_text(deletion.begun, style),
                    time_text(deletion.erase_at, style), bytes_text(deletion.size_bytes, style),
                    has_file ? "there" : "missing",
                    deletion.login.empty() ? fmt::format("uid {}", deletion.uid) : escaped(deletion.login),
                    escaped(deletion.reason)});
  return table_text({{.title = "TENANT", .kept = true},
                     {.title = "GENERATION", .right = true, .kept = true},
                     {.title = "STEP"},
                     {.title = "DELETED", .rank = 2},
                     {.title = "ERASED"},
                     {.title = "SIZE", .right = true, .rank = 1},
                     {.title = "FILE"},
                     {.title = "BY", .rank = 3},
                     {.title = "REASON", .cut = true, .rank = 4}},
                    rows, session.table_style());
}

std::string graves_json(const std::vector<Grave>& graves) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.tenant.graveyard/1").key("items").begin_array();
  for (const auto& [deletion, has_file] : graves) {
    writer.begin_object();
    write_text(writer, "name", deletion.tenant.name.text());
    writer.key("generation").integer(deletion.tenant.generation.value);
    writer.key("step").string(name_of(deletion.step));
    write_time(writer, "begun", deletion.begun);
    write_time(writer, "erase_at", deletion.erase_at);
    writer.key("size_bytes").integer(deletion.size_bytes).key("has_file").boolean(has_file);
    writer.key("uid").integer(deletion.uid);
    write_text(writer, "login", deletion.login);
    write_text(writer, "reason", deletion.reason);
    writer.end_object();
  }
  writer.end_array().end_object();
  return out;
}

}  // namespace

ExitCode tenant_graveyard(Session& session) {
  std::optional<TenantName> name;
  if (!session.words().empty()) name = value_or_raise(TenantName::parse(session.words().front()));
  const auto graves = graves_of(session, name);
  if (session.json()) session.print_json(graves_json(graves));
  else if (graves.empty()) session.note("nothing lies in the graveyard");
  else session.print(graves_table(graves, session));
  return ExitCode::done;
}

}  // namespace tenure::cli
