#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/replay/capsule.hpp>

// The tables tenure_capsule... of a capsule. Internal.
namespace tenure::replay {

void make_capsule_tables(sqlite::Connection& connection);
void drop_capsule_tables(sqlite::Connection& connection);

void write_rows(sqlite::Connection& connection, const Capsule& capsule);
void write_digest(sqlite::Connection& connection, const std::string& digest);

// That the tables are there as this version makes them. DatabaseDamaged, SchemaMismatch.
void require_capsule_tables(sqlite::Connection& connection);
// DatabaseDamaged where a value is none that is ever written. Behind require_capsule_tables.
[[nodiscard]] CapsuleHead read_head_row(sqlite::Connection& connection);
[[nodiscard]] RunRecord read_run_rows(sqlite::Connection& connection);
[[nodiscard]] std::string read_digest(sqlite::Connection& connection);

}  // namespace tenure::replay
