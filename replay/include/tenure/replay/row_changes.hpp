#pragma once

#include <tenure/base/sqlite/change_recorder.hpp>
#include <tenure/replay/run_record.hpp>

#include <string_view>
#include <vector>

namespace tenure::replay {

// Whether changes of a table are a run's effects: those of Tenure's own tables are not.
[[nodiscard]] bool is_application_table(std::string_view table);

// Recorded rows as a record holds them: JSON, by table and key. Text that is no UTF-8 stands as bytes, an infinite number as
// {"$real": "Infinity"}. Threads: any.
[[nodiscard]] std::vector<RowChange> changes_of(const std::vector<sqlite::ChangedRow>& rows);
// By table and key, and where those are the same by the rest: the order of RunRecord::changes.
void sort_changes(std::vector<RowChange>& changes);

}  // namespace tenure::replay
