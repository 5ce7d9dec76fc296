#pragma once

#include "sqlite/control_schema.hpp"

#include <vector>

namespace tenure::testing {

// The steps of a program that is two releases ahead: those of this one, one that makes a table out of what there is, and one that
// changes it.
inline std::vector<sqlite::Migration> steps_of_a_later_program() {
  auto steps = queue::control_migrations();
  const auto last = static_cast<std::int64_t>(steps.size());
  steps.push_back({last + 1, "0003_note.sql",
                   "create table note(seq integer primary key, text text not null) strict;"
                   "insert into note(seq, text) select seq, hex(envelope) from job;"});
  steps.push_back({last + 2, "0004_bytes.sql",
                   "alter table note add column bytes integer not null default 0;"
                   "update note set bytes = length(text) / 2;"
                   "create index note_bytes on note(bytes);"});
  return steps;
}

}  // namespace tenure::testing
