#include "faulty_run.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/tenancy/tenant_files.hpp>

namespace tenure::testing::detail {
namespace {

std::filesystem::path aside(std::filesystem::path path) { return path += ".gone"; }

bool is_by_full_disk(ErrorCode code) {
  return code == ErrorCode::disk || code == ErrorCode::tenant_unavailable ||
         code == ErrorCode::disk_sync_failed;
}

}  // namespace

DatabaseAway::DatabaseAway(HandleCache& handles, const TenantName& tenant)
    : path_(handles.files().path_for(tenant)) {
  handles.close(tenant);    // its log goes with the last connection
  std::error_code is_gone;  // by the test itself
  std::filesystem::rename(path_, aside(path_), is_gone);
}

DatabaseAway::~DatabaseAway() {
  std::error_code ignored;  // a handler may have made something there, which is in nobody's way then
  std::filesystem::rename(aside(path_), path_, ignored);
}

struct DatabaseBusy::Impl {
  explicit Impl(const std::filesystem::path& path) : connection(path, {.secure_delete = true}) {}
  sqlite::Connection connection;
  sqlite::WriteTransaction transaction{connection};
};

DatabaseBusy::DatabaseBusy(const std::filesystem::path& path) : impl_(std::make_unique<Impl>(path)) {}
DatabaseBusy::~DatabaseBusy() = default;

FaultyRun::FaultyRun(const FaultList& faults, const queue::AssignedJob& job, HandleCache& handles,
                     VirtualClock& clock)
    : clock_(clock) {
  const auto of_tenant = [&](const FaultState& fault) { return fault.tenant == job.tenant; };
  older_ =
      faults.next(FaultKind::older_payload, [&](const FaultState& fault) { return fault.job == job.id; });
  jump_ = faults.next(FaultKind::clock_jump, [](const FaultState&) { return true; });
  if (!job.tenant) return;
  gone_ = faults.next(FaultKind::tenant_gone, of_tenant);
  if (gone_) away_.emplace(handles, *job.tenant);
  if (gone_) return;
  busy_ = faults.next(FaultKind::tenant_busy, of_tenant);
  if (busy_) writer_.emplace(handles.files().path_for(*job.tenant));
  full_ = faults.next(FaultKind::disk_full_in, of_tenant);
  if (full_) disk_.emplace();
}

void FaultyRun::begins() {
  if (!jump_) return;
  clock_.jump_wall(jump_->jump);
  ++jump_->fired;
}

void FaultyRun::ended(const queue::AttemptEnd& end) {
  const auto count = [](const std::shared_ptr<FaultState>& fault, bool has_happened) {
    if (fault && has_happened) ++fault->fired;
  };
  const bool has_failed = end.result == queue::RunResult::failed;
  count(older_, true);
  count(gone_, has_failed && end.failure.code == ErrorCode::tenant_unavailable);
  count(busy_, has_failed && end.failure.code == ErrorCode::tenant_busy);
  count(full_, has_failed && is_by_full_disk(end.failure.code));
}

}  // namespace tenure::testing::detail
