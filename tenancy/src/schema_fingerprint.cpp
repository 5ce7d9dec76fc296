#include "schema_objects.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/migrations.hpp>
#include <tenure/base/sqlite/statement.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/own_tables.hpp>
#include <tenure/tenancy/schema_fingerprint.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace tenure {
namespace {

// Names are compared as SQLite does, in any letters. A scan of the schema.
constexpr sqlite::Query kSchemaObjects{"schema_objects", R"sql(
  select type, name, coalesce(sql, '') from main.sqlite_schema
  where name not like 'tenure\_%' escape '\' and name not like 'sqlite\_%' escape '\'
    and tbl_name not like 'tenure\_%' escape '\' order by type, name)sql"};

std::string named(const SchemaObject& object) {
  return fmt::format("{} {}", object.type, escaped(object.name));
}

bool is_before(const SchemaObject& a, const SchemaObject& b) {
  return a.type != b.type ? a.type < b.type : a.name < b.name;
}

}  // namespace

TenantSchema detail::schema_in(sqlite::Connection& connection) {
  TenantSchema schema;
  auto row = connection.statement(kSchemaObjects);
  while (row.step())
    schema.objects.push_back({std::string{row.text(0)}, std::string{row.text(1)}, std::string{row.text(2)}});
  return schema;
}

std::string TenantSchema::fingerprint() const {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto add = [&](std::string_view text) {
    for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3U;
    hash *= 0x100000001b3U;  // where one text ends
  };
  for (const SchemaObject& object : objects)
    for (const std::string* const text : {&object.type, &object.name, &object.sql}) add(*text);
  return fmt::format("{:016x}", hash);
}

TenantSchema tenant_schema(const TenantReader& reader) {
  return detail::schema_in(OwnTables(reader).connection());
}

std::vector<TenantSchema> schemas_of_steps(std::span<const sqlite::Migration> steps,
                                           const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "expected.db";
  std::vector<TenantSchema> schemas(1);
  {
    sqlite::Connection connection{file, {.access = sqlite::Access::create}};
    for (std::size_t count = 1; count <= steps.size(); ++count) {
      sqlite::migrate(connection, steps.first(count), 0);
      schemas.push_back(detail::schema_in(connection));
    }
  }
  std::error_code ignored;
  for (const char* const ending : {"", "-wal", "-shm"})
    std::filesystem::remove(file.string() + ending, ignored);
  return schemas;
}

std::optional<std::string> schema_difference(const TenantSchema& has, const TenantSchema& expected) {
  auto found = has.objects.begin();
  for (const SchemaObject& wanted : expected.objects) {
    if (found == has.objects.end() || is_before(wanted, *found)) return named(wanted) + " is missing";
    if (is_before(*found, wanted)) return named(*found) + " is not of the migrations";
    if (found->sql != wanted.sql) return named(*found) + " is not as the migrations make it";
    ++found;
  }
  if (found != has.objects.end()) return named(*found) + " is not of the migrations";
  return std::nullopt;
}

}  // namespace tenure
