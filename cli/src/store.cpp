#include "listing.hpp"
#include "nouns.hpp"

#include <tenure/base/json.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

namespace tenure::cli {
namespace {

struct ShownStore : queue::StoreSummary {
  std::int64_t schema_needed = 0;
  bool has_dispatcher = false;  // that is seen to run
};

std::string holder_text(const ShownStore& store, const ShowStyle& style) {
  const std::string last =
      fmt::format("pid {} on {}, started {}", store.last_holder->pid, escaped(store.last_holder->node),
                  full_time_text(store.last_holder->started, style));
  return store.has_dispatcher ? last : "last " + last + "; no dispatcher is seen to run";
}

std::string text_of(const ShownStore& store, const ShowStyle& style) {
  const auto line = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<9}{}\n", name, value);
  };
  std::string out = line("store", fmt::format("{}, {}", store.backend, escaped(store.path)));
  out += line("id", escaped(store.store_id));
  out += line("schema", std::to_string(store.schema_version));
  out += line("library", escaped(store.library));
  out += line("size", fmt::format("{}, WAL {}", bytes_text(store.size_bytes, style),
                                  bytes_text(store.wal_bytes, style)));
  out += line("jobs", fmt::format("{}, {} claimed", number_text(store.jobs, style),
                                  number_text(store.claims, style)));
  out += line("tenants", number_text(store.tenants, style));
  return out + line("holder", store.last_holder ? holder_text(store, style) : "never had one");
}

void write_holder(json::Writer& writer, const queue::HolderRecord& holder) {
  writer.begin_object().key("incarnation").integer(holder.incarnation.value);
  write_text(writer, "node", holder.node);
  writer.key("pid").integer(holder.pid);
  write_time(writer, "started", holder.started);
  writer.end_object();
}

// Its jobs stand in tables that this program does not know.
std::string older_text(const queue::SchemaState& schema, std::string_view path, const ShowStyle& style) {
  const auto line = [](std::string_view name, std::string_view value) {
    return fmt::format("{:<9}{}\n", name, value);
  };
  return line("store", "sqlite, " + escaped(path)) +
         line("schema", fmt::format("{}, and this program needs {}: tenure store migrate", schema.version,
                                    schema.newest)) +
         line("size", fmt::format("{}, WAL {}", bytes_text(schema.size_bytes, style),
                                  bytes_text(schema.wal_bytes, style)));
}

std::string older_json(const queue::SchemaState& schema, std::string_view path) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.store.show/1").key("item").begin_object();
  write_text(writer, "backend", "sqlite");
  write_text(writer, "path", path);
  writer.key("schema_version").integer(schema.version).key("schema_needed").integer(schema.newest);
  writer.key("size_bytes").integer(schema.size_bytes).key("wal_bytes").integer(schema.wal_bytes);
  for (const std::string_view unknown :
       {"store_id", "library", "jobs", "claims", "tenants", "last_holder", "has_dispatcher"})
    writer.key(unknown).null();
  writer.end_object().end_object();
  return out;
}

std::string json_of(const ShownStore& store) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().key("schema").string("tenure.store.show/1").key("item").begin_object();
  write_text(writer, "backend", store.backend);
  write_text(writer, "path", store.path);
  write_text(writer, "store_id", store.store_id);
  writer.key("schema_version").integer(store.schema_version);
  writer.key("schema_needed").integer(store.schema_needed);
  write_text(writer, "library", store.library);
  writer.key("size_bytes").integer(store.size_bytes).key("wal_bytes").integer(store.wal_bytes);
  writer.key("jobs")
      .integer(store.jobs)
      .key("claims")
      .integer(store.claims)
      .key("tenants")
      .integer(store.tenants);
  writer.key("last_holder");
  if (store.last_holder) write_holder(writer, *store.last_holder);
  else writer.null();
  writer.key("has_dispatcher").boolean(store.has_dispatcher);
  writer.end_object().end_object();
  return out;
}

}  // namespace

ExitCode store_show(Session& session) {
  const queue::SchemaState schema = session.schema(queue::PageCheck::none);
  if (schema.is_older()) {
    const std::string path = session.store_path().string();
    if (session.json()) session.print_json(older_json(schema, path));
    else session.print(older_text(schema, path, session.style()));
    return ExitCode::done;
  }
  ShownStore store;
  session.readable_store().read([&](queue::JobReader& reader) {
    store = {reader.summary(), schema.newest, reader.has_dispatcher()};
  });
  if (session.json()) session.print_json(json_of(store));
  else session.print(text_of(store, session.style()));
  return ExitCode::done;
}

}  // namespace tenure::cli
