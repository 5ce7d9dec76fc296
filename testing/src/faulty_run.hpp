#pragma once

#include "fault_list.hpp"
#include "full_disk.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <filesystem>
#include <memory>
#include <optional>

// What goes wrong while one job runs.
namespace tenure::testing::detail {

// Its tenant's database is not at its place while this lives. What a test has leased of it stays usable.
class DatabaseAway {
 public:
  DatabaseAway(HandleCache& handles, const TenantName& tenant);
  ~DatabaseAway();
  DatabaseAway(const DatabaseAway&) = delete;
  DatabaseAway& operator=(const DatabaseAway&) = delete;

 private:
  std::filesystem::path path_;
};

// Somebody else has the database's writer lock while this lives.
class DatabaseBusy {
 public:
  explicit DatabaseBusy(const std::filesystem::path& path);
  ~DatabaseBusy();
  DatabaseBusy(const DatabaseBusy&) = delete;
  DatabaseBusy& operator=(const DatabaseBusy&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The faults that wait for this run, in force while it lives.
class FaultyRun {
 public:
  FaultyRun(const FaultList& faults, const queue::AssignedJob& job, HandleCache& handles,
            VirtualClock& clock);
  // Its handler is entered: what happens before it does.
  void begins();
  // How it ended: counts those that have happened.
  void ended(const queue::AttemptEnd& end);

 private:
  VirtualClock& clock_;
  std::shared_ptr<FaultState> jump_, gone_, busy_, full_, older_;
  std::optional<DatabaseAway> away_;
  std::optional<DatabaseBusy> writer_;
  std::optional<FullDisk> disk_;
};

}  // namespace tenure::testing::detail
