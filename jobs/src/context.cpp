#include "job_run.hpp"
#include "receipts.hpp"
#include "tenants_file.hpp"

#include <tenure/base/limits.hpp>
#include <tenure/base/text.hpp>
#include <tenure/jobs/context.hpp>
#include <tenure/queue/job_global_id.hpp>
#include <tenure/tenancy/commit_watch.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_folder.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace tenure {
namespace {

// Before it is cut, or what is left of a secret would not be found.
std::string without_secrets(detail::JobRun& run, std::string_view text) {
  if (text.empty()) return {};
  if (!run.secrets) run.secrets.emplace(run.mask, run.arguments);
  return run.secrets->hidden_in(text);
}

}  // namespace

void detail::JobRun::require_here() const {
  process.check("the context");
  if (std::this_thread::get_id() == thread) return;
  raise(ErrorCode::bad_options,
        "the context of a job was used on another thread than its handler's: this thread has none; a handle "
        "and a context are for the thread that has them");
}

HandleLease detail::JobRun::new_lease() const {
  if (!job.tenant) raise(ErrorCode::no_tenant, "an untenanted job has no tenant's database");
  std::optional<HandleLease> leased;
  with_tenants_file(handles, *job.tenant, [&] {
    leased.emplace(value_or_raise(handles.acquire(
        *job.tenant, job.generation, reads_only ? HandleAccess::read_only : HandleAccess::read_write)));
    if (schemas != nullptr) schemas->require(leased->handle(), schema);
  });
  return *std::move(leased);
}

TenantHandle& detail::JobRun::handle() {
  if (!lease) lease.emplace(new_lease());
  return **lease;
}

// One handle has one transaction or snapshot at a time, and what is done inside a transaction is fenced by that.
void detail::JobRun::while_writable(FunctionRef<void()> work) {
  const OpenChildren open = lease ? lease->open_children() : OpenChildren{};
  if (open.transactions > 0) return work();
  if (open.none()) {
    const TenantTransaction fence = handle().begin();
    return work();
  }
  HandleLease other = new_lease();
  const TenantTransaction fence = other->begin();
  work();
}

const std::string& JobContext::idempotency_key() const {
  run_.require_here();
  if (run_.global_id.empty())
    run_.global_id = queue::global_id_of(run_.application, run_.job.id, run_.job.tenant).text();
  return run_.global_id;
}

void JobContext::may_write(std::string_view verb) const {
  run_.require_here();
  if (!run_.reads_only) return;
  raise(
      ErrorCode::access_refused,
      std::string{verb} + ": the kind " + run_.job.kind + " states reads_only, and its handle is for reading",
      run_.job.tenant ? run_.job.tenant->text() : "");
}

std::string JobContext::key(std::string_view name) const {
  if (!run_.job.tenant) raise(ErrorCode::no_tenant, "an untenanted job has no keys of its tenant");
  if (name.empty()) raise(ErrorCode::bad_options, "the key of a tenant has a name");
  return run_.job.tenant->text() + '.' + std::to_string(run_.job.generation.value) + '/' + std::string{name};
}

// Made while nobody can close the stamp: behind that the folder has gone with its tenant, and is not to come back.
std::string JobContext::folder(std::string_view name) {
  run_.require_here();
  if (!run_.job.tenant) raise(ErrorCode::no_tenant, "an untenanted job has no folder of its tenant");
  may_write("folder");
  require_current(*run_.job.tenant, run_.job.generation, "the folder");
  TenantFolder::check(name);
  const TenantFolder folder{run_.handles.files(), *run_.job.tenant, run_.job.generation};
  if (!folder.has(name)) run_.while_writable([&] { folder.make(name); });
  return (folder.path() / name).string();
}

void JobContext::begins() {
  run_.has_begun = true;
  if (run_.on_begin != nullptr && *run_.on_begin) (*run_.on_begin)();
}

void JobContext::returns(FunctionRef<std::string()> encode) { run_.returned = encode(); }

Uuid JobContext::id() const { return run_.job.id.uuid; }
const std::string& JobContext::queue() const { return run_.job.queue; }
WallTime JobContext::enqueued() const { return run_.job.created; }
const std::string& JobContext::kind() const { return run_.job.kind; }
const std::optional<TenantName>& JobContext::tenant() const { return run_.job.tenant; }
int JobContext::attempt() const { return run_.job.attempt; }
int JobContext::attempts_max() const { return run_.job.attempts_max; }
WallTime JobContext::now() const { return run_.clock.wall(); }

std::stop_token JobContext::stop_token() const {
  run_.require_here();
  run_.may_know_of_stop = true;
  return run_.stop.token();
}

std::optional<StopReason> JobContext::stop_reason() const {
  run_.require_here();
  const auto reason = run_.stop.reason();
  run_.may_know_of_stop |= reason.has_value();
  return reason;
}

void JobContext::log(log::Level level, std::string_view message) {
  run_.require_here();
  log::write(level, "job.said", without_secrets(run_, message),
             {.kind = run_.job.kind, .queue = run_.job.queue, .attempt = run_.job.attempt});
}

void JobContext::progress(std::int64_t done, std::int64_t total, std::string_view text) {
  run_.require_here();
  if (done < 0 || total < 0)
    raise(ErrorCode::bad_options,
          "a progress of " + std::to_string(done) + " of " + std::to_string(total) + ": both are 0 or more");
  constexpr std::size_t kMax = queue::kProgressTextMax;
  std::string shown = to_utf8(cut_utf8(without_secrets(run_, text), kMax));  // which may be longer
  shown.resize(cut_utf8(shown, kMax).size());
  run_.notes.tell({done, total, std::move(shown)});
}

void JobContext::checkpoint(std::string_view cursor) {
  run_.require_here();
  if (cursor.empty() || cursor.size() > queue::kCursorMax)
    raise(ErrorCode::bad_options, "a cursor of " + std::to_string(cursor.size()) + " bytes; it has 1 to " +
                                      std::to_string(queue::kCursorMax));
  run_.cursor = cursor;
  run_.notes.save(cursor);
  if (const auto reason = stop_reason())
    raise(detail::code_of_obedience(*reason), "The run was interrupted at a checkpoint.");
}

const std::string& JobContext::cursor() const { return run_.cursor; }

std::optional<std::chrono::milliseconds> JobContext::remaining() const {
  if (run_.job.time_limit.count() == 0) return std::nullopt;
  const auto left = run_.started + run_.job.time_limit - run_.clock.steady();
  return std::chrono::floor<std::chrono::milliseconds>(std::max(left, std::chrono::microseconds{0}));
}

TenantHandle& JobContext::handle() {
  run_.require_here();
  return run_.handle();
}

Random& JobContext::random() {
  run_.require_here();
  if (run_.tape != nullptr) return run_.tape->random();
  if (!run_.random) run_.random.emplace(Random::seed_from_system());
  return *run_.random;
}

bool JobContext::is_taped(std::string_view name) const {
  run_.require_here();
  if (name.empty() || name.size() > limits::kStepNameMax || !is_utf8(name))
    raise(ErrorCode::bad_options, "recorded call \"" + escaped(name) + "\": its name has 1 to " +
                                      std::to_string(limits::kStepNameMax) + " bytes of UTF-8");
  return run_.tape != nullptr && !run_.tape->is_in_call();
}

std::string JobContext::tape_call(std::string_view name, FunctionRef<void()> call,
                                  FunctionRef<std::string(PayloadContext&)> encode) {
  return run_.tape->call(name, call, [&] { return encode(run_.payload); });
}

PayloadContext& JobContext::tape_payload() { return run_.payload; }

std::string JobContext::once_text(std::string_view step, FunctionRef<std::string(JobTransaction&)> function) {
  run_.require_here();
  if (step.empty() || step.size() > limits::kStepNameMax || !is_utf8(step))
    raise(ErrorCode::bad_options, "step \"" + escaped(step) + "\": a step's name has 1 to " +
                                      std::to_string(limits::kStepNameMax) + " bytes of UTF-8");
  may_write("once");
  if (run_.steps.contains(step))
    raise(ErrorCode::duplicate_step,
          "step \"" + escaped(step) + "\" was done in this run already; name the item in it");
  if (run_.on_step != nullptr && *run_.on_step) (*run_.on_step)(step);

  const queue::AssignedJob& job = run_.job;
  TenantTransaction transaction = handle().begin();
  std::optional<std::string> result = find_receipt(transaction, job.id, job.claim.token, step);
  const bool is_done_now = !result;
  const queue::OutboxOwner file{transaction.tenant(), job.generation};
  std::optional<detail::OldReceipts::Step> forgotten;
  if (is_done_now) {
    run_.outbox.begin();
    JobTransaction job_transaction{transaction, run_.outbox};
    result = function(job_transaction);
    if (result->size() > limits::kReceiptResultMax)
      raise(ErrorCode::bad_options, "step \"" + escaped(step) + "\" returned " +
                                        std::to_string(result->size()) + " bytes; at most " +
                                        std::to_string(limits::kReceiptResultMax) + " are kept");
    write_receipt(transaction, job.id, job.claim.token, step, *result, run_.time_of_own());
    forgotten = run_.old_receipts.forget_some(transaction, file);
  }
  if (is_done_now) run_.outbox.before_commit(transaction);
  // Also where the receipt was found: it may be visible and not yet on disk, and the caller acts on it.
  {
    const detail::CommitLabel label{detail::CommitOf::step, step};
    transaction.commit();
  }
  if (is_done_now) run_.outbox.committed();
  if (forgotten) run_.old_receipts.committed(file, *forgotten);
  run_.steps.emplace(step);
  return *std::move(result);
}

}  // namespace tenure
