#pragma once

#include "old_receipts.hpp"
#include "outbox_writer.hpp"
#include "run_tape.hpp"
#include "tenant_schemas.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/sqlite/change_recorder.hpp>
#include <tenure/jobs/context.hpp>
#include <tenure/queue/mask.hpp>
#include <tenure/queue/payload.hpp>
#include <tenure/queue/run.hpp>
#include <tenure/queue/run_notes.hpp>
#include <tenure/queue/stop_signal.hpp>
#include <tenure/tenancy/handle_cache.hpp>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>

namespace tenure::detail {

// What JobContext stands for: one attempt while it runs.
struct JobRun {
  const queue::AssignedJob& job;
  const queue::StopSignal& stop;
  queue::RunNotes& notes;
  HandleCache& handles;
  OldReceipts& old_receipts;
  const Clock& clock;
  const std::string& application;
  const queue::Mask& mask;
  const std::string& arguments;
  Instant started;
  OutboxWriter outbox;
  TenantPayloadContext payload;
  std::string cursor;                      // of the last checkpoint
  std::optional<SchemaRange> schema = {};  // of its kind
  bool reads_only = false;                 // the same
  TenantSchemas* schemas = nullptr;        // null: of a replay, which has the tables that the run had
  RunTape* tape = nullptr;                 // of a run that is captured or replayed; `clock` is its own then
  const std::function<void(const std::string&)>* on_left_open = nullptr;  // PerformerOptions::on_left_open
  const std::function<void()>* on_begin = nullptr;                        // PerformerOptions::on_begin
  const std::function<void(std::string_view)>* on_step = nullptr;         // ReplayOptions::on_step
  std::optional<std::string> returned = std::nullopt;                     // by its handler, encoded
  std::string global_id = {};                                             // made when it is asked for
  std::optional<HandleLease> lease = std::nullopt;
  std::optional<sqlite::ChangeRecorder> changes =
      std::nullopt;                             // of the lease's connection, and goes before it
  std::optional<Random> random = std::nullopt;  // made when it is asked for
  std::set<std::string, std::less<>> steps = {};
  ProcessBound process = {};
  std::optional<queue::Secrets> secrets = std::nullopt;  // of the arguments, made for the first text
  std::thread::id thread = std::this_thread::get_id();
  bool has_begun = false;         // its handler was entered
  bool has_returned = false;      // its handler has, without throwing
  bool may_know_of_stop = false;  // its handler has asked for the token, or was told that it is to stop

  // ForkedProcess in a child, BadOptions on another thread than the handler's.
  void require_here() const;
  // For rows of Tenure's own, which no replay is compared by.
  [[nodiscard]] WallTime time_of_own() const { return tape == nullptr ? clock.wall() : tape->time_of_own(); }
  // Another one of the tenant's handles; from any thread.
  [[nodiscard]] HandleLease new_lease() const;
  // The tenant's handle, leased at the first use.
  TenantHandle& handle();
  // From its beginning to its end the tenant's stamp says that this generation may be written. What JobContext::write says.
  void while_writable(FunctionRef<void()> work);
};

// A handler that obeys its stop token by throwing has not failed: the job runs again and it costs no attempt, unless it has taken too
// long.
[[nodiscard]] inline ErrorCode code_of_obedience(StopReason reason) {
  return reason == StopReason::time_limit ? ErrorCode::time_limit : ErrorCode::interrupted;
}

}  // namespace tenure::detail
