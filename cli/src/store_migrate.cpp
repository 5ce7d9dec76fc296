#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tenure::cli {
namespace {

std::string text_of_migration(const queue::SchemaState& before, bool is_done) {
  if (!before.is_older()) return fmt::format("schema {}, as this program needs it\n", before.version);
  return fmt::format("schema {} to {}: {} {}\n", before.version, before.newest,
                     is_done ? "applied" : "would apply", fmt::join(before.pending, ", "));
}

std::string json_of_migration(const queue::SchemaState& before, bool is_done, std::string_view path) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.store.migrate/1").key("item").begin_object();
  write_text(writer, "path", path);
  writer.key("from").integer(before.version).key("to").integer(before.newest).key("steps").begin_array();
  for (const std::string& step : before.pending) writer.string(to_utf8(step));
  writer.end_array().key("applied").boolean(is_done && before.is_older()).end_object().end_object();
  return out;
}

}  // namespace

ExitCode store_migrate(Session& session) {
  const bool is_done = !session.has("dry-run");
  const queue::SchemaState before = is_done ? session.migrate() : session.schema(queue::PageCheck::none);
  if (session.json()) session.print_json(json_of_migration(before, is_done, session.store_path().string()));
  else session.print(text_of_migration(before, is_done));
  return ExitCode::done;
}

}  // namespace tenure::cli
