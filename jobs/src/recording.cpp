#include "recording.hpp"

#include <tenure/replay/row_changes.hpp>
#include <tenure/tenancy/own_tables.hpp>

#include <cstddef>

namespace tenure::detail {
namespace {

constexpr std::size_t kChangesMax = 256UL << 20U;  // bytes: while they are recorded, packed, and as rows

}  // namespace

void begin_recording(JobRun& run) {
  run.handle().read([&](TenantReader& reader) {
    run.changes.emplace(OwnTables{reader}.connection(), replay::is_application_table, kChangesMax);
  });
}

void end_recording(JobRun& run, replay::RunRecord& record) {
  struct End {
    JobRun& run;
    ~End() { run.changes.reset(); }
  } const end{run};
  record.cursor = run.cursor;
  record.returned = run.returned;
  if (!run.changes) return;
  run.lease->end_children();
  run.handle().read([&](TenantReader& reader) {
    const OwnTables permission{reader};
    record.changes = replay::changes_of(run.changes->changes(kChangesMax));
    record.tables_not_recorded = run.changes->tables_not_recorded();
  });
}

}  // namespace tenure::detail
