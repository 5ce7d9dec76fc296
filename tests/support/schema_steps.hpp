#pragma once

#include "sqlite/control_schema.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tenure::testing {

// The steps of a program that is two releases ahead: those of this one, one that makes a table out of what there is, and one that
// changes it.
inline std::vector<sqlite::Migration> steps_of_a_later_program() {
  auto steps = queue::control_migrations();
  const auto last = static_cast<std::int64_t>(steps.size());
  steps.push_back({last + 1, "later_note.sql",
                   "create table note(seq integer primary key, text text not null) strict;"
                   "insert into note(seq, text) select seq, hex(envelope) from job;"});
  steps.push_back({last + 2, "later_bytes.sql",
                   "alter table note add column bytes integer not null default 0;"
                   "update note set bytes = length(text) / 2;"
                   "create index note_bytes on note(bytes);"});
  return steps;
}

// How many steps both have, and how texts say it.
inline std::int64_t own_schema() { return static_cast<std::int64_t>(queue::control_migrations().size()); }
inline std::int64_t later_schema() { return own_schema() + 2; }
inline std::string own_schema_text() { return std::to_string(own_schema()); }
inline std::string later_schema_text() { return std::to_string(later_schema()); }

}  // namespace tenure::testing
