#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/base/log.hpp>
#include <tenure/base/random.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/jobs/archive.hpp>
#include <tenure/jobs/transaction.hpp>
#include <tenure/queue/stop_reason.hpp>
#include <tenure/tenancy/handle.hpp>
#include <tenure/tenancy/ref.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tenure {

// `stop`: its worker process is about to end. `operator_asked`: the job was cancelled. `time_limit`: the run takes too long.
using queue::StopReason;

namespace detail {
struct JobRun;
}

// What a handler may know and do while it performs one attempt of one job, inside the job's tenant. A reference to it is of
// no use after the handler has returned.
// Threads: the handler's own, and BadOptions on another one: threads that a handler starts compute, and database and context stay
// with the handler's. A stop_token() may be copied to others. In a child of fork() it is ForkedProcess.
class JobContext {
 public:
  explicit JobContext(detail::JobRun& run) : run_(run) {}
  JobContext(const JobContext&) = delete;
  JobContext& operator=(const JobContext&) = delete;

  [[nodiscard]] Uuid id() const;
  // The job's Global ID, gid://APP/tenure.job/UUID?tenant=NAME: equal over all attempts, unique among jobs; of an untenanted job
  // gid://APP/tenure.job/UUID. For calls to others that must happen once.
  [[nodiscard]] const std::string& idempotency_key() const;
  [[nodiscard]] const std::string& kind() const;
  // Nothing: an untenanted job.
  [[nodiscard]] const std::optional<TenantName>& tenant() const;
  [[nodiscard]] const std::string& queue() const;
  // When the job was enqueued.
  [[nodiscard]] WallTime enqueued() const;
  // From 1; releases and crashes are not counted.
  [[nodiscard]] int attempt() const;
  [[nodiscard]] int attempts_max() const;
  // A replay of a captured run is told what that run was told.
  [[nodiscard]] WallTime now() const;
  // Random numbers of this run; those of a replay are the captured run's. Not for secrets.
  [[nodiscard]] Random& random();

  // Calls `function()` for what lies outside of arguments, tenant's database, now() and random(): other services, files, the time zone.
  // Its value is passed through. Where the run is captured the value goes into the capsule, encoded as arguments are, and a replay answers
  // with it and does not call; what was thrown is thrown again, as its error of Tenure's or as HandlerFailed with its text. `function`
  // returns nothing or what arguments may be. Inside of it nothing is recorded; database and context are used before or after it.
  // `name`, 1 to 256 bytes of UTF-8 (BadOptions), says in a replay which call it is; it need not be unique. ReplayDiffers, in a replay
  // only: the capsule's run made another call here, or none.
  template <class Function>
  auto recorded(std::string_view name, Function&& function) {
    constexpr bool kIsCalled = std::is_invocable_v<Function&>;
    static_assert(kIsCalled, "tenure: what `recorded` is given is called as function().");
    if constexpr (kIsCalled) return recorded_of(name, function);
  }

  // Fires when the worker is about to stop, when an operator has cancelled the job, or at 80 % of the run's time limit. A handler that obeys
  // it may throw: a cancelled job has ended; else it runs again, at no cost where the worker stops, as a failed attempt (TimeLimit)
  // where it has taken too long. A handler that has asked for it, and returns after it has fired for a cancel, has obeyed too.
  [[nodiscard]] std::stop_token stop_token() const;
  // Why it has fired; nothing where it has not. A handler of a cancelled job that has never asked for either has not obeyed: returning,
  // it has succeeded.
  [[nodiscard]] std::optional<StopReason> stop_reason() const;
  // Until the worker process is ended for this run's time limit (JobOptions, or `time_limit` of the pool); nothing where there is none.
  [[nodiscard]] std::optional<std::chrono::milliseconds> remaining() const;

  // Writes a line `job.said` into the worker program's log, which names the tenant and the job: no text can name other ones. At most 10 KiB of
  // the message are written, without secrets of the arguments. What else writes by log::write() on this thread names them too.
  void log(log::Level level, std::string_view message);

  // Shows how far the run has come, in units of its own, in `tenure job show` and `job list` while it goes on; `total` 0: not known. The
  // text is cut at 200 bytes. As cheap as a lock: call it as often as you like, the latest call is sent on ten times a second at most.
  // BadOptions: a negative number.
  void progress(std::int64_t done, std::int64_t total = 0, std::string_view text = {});

  // A place where the job may be interrupted. `cursor`, 1 to 65,536 bytes of the handler's own (BadOptions), says where a later run goes on,
  // after a stop, a failure, a crash or the daemon's death; then, where the stop token has fired, it throws what ends the run: at no
  // cost for a stop, as a failed attempt for a time limit, for good for a cancel. Let that pass.
  // It throws Interrupted for a stop and for a cancel, TimeLimit for the time limit.
  // The cursor is sent on ten times a second at most, stored behind that, and always before the end of the run: after a crash or a power
  // cut it may be older than the last call and never newer, so what was done since is done again. What must happen once goes into
  // `once`. It is gone when the job has ended for good.
  void checkpoint(std::string_view cursor);
  // Of the last checkpoint, in this run or an earlier one; empty: there was none.
  [[nodiscard]] const std::string& cursor() const;

  // The tenant's database, opened at the first use. NoTenant in an untenanted job; TenantUnavailable (its file is missing, damaged,
  // refused or another tenant's), StaleGeneration, TenantDeleted, HandleBudgetExhausted, TenantBusy, DiskSyncFailed.
  [[nodiscard]] TenantHandle& handle();

  // A key for caches and stores that tenants share: "acme.3/users/1" of "users/1" in the third generation of acme. Keys of two tenants or
  // generations never meet. NoTenant in an untenanted job; BadOptions: an empty name.
  [[nodiscard]] std::string key(std::string_view name) const;

  // The path of a folder for files of the tenant, by its name ("exports", "exports/2026"), made where it is not there. It lies beside the
  // tenants' databases, in one folder of this tenant and generation; it goes with the tenant when that is deleted, and comes back with it.
  // No backup has it, and a restored or cloned tenant begins without. What is written there is the handler's to sync, and no transaction
  // undoes it.
  // BadOptions: a name that is empty, absolute, not UTF-8, above 512 bytes or 16 parts, or with "." or ".." in it. AccessRefused: a link, or
  // what is no folder, lies on the way, which is looked at with each call; the kind states JobOptions::reads_only. NoTenant in an
  // untenanted job; WrongTenant inside of another tenant; DiskError, and of what makes it: what write() says.
  [[nodiscard]] std::string folder(std::string_view name);

  // Finds a record: MissingTenant, NoTenant, WrongTenant, BadGlobalId (of another application), RecordNotFound, and what read() says.
  template <class T>
  [[nodiscard]] Loaded<T> locate(const Ref<T>& ref) {
    return handle().read([&](TenantReader& reader) { return tenure::locate(reader, ref); });
  }
  // `function(TenantReader&)` inside one snapshot; its value is passed through. What handle() says, and of its statements QueryFailed,
  // AccessRefused (one that writes), BadOptions, WrongTenant, TenantBusy, DiskError, DatabaseDamaged.
  template <class Function>
  decltype(auto) read(Function&& function) {
    return handle().read(std::forward<Function>(function));
  }
  // `function(TenantTransaction&)` inside one transaction; its value is passed through, and what it throws undoes all of it. Durable
  // when it returns, and repeated when the job runs again: `once` is for what must happen once. What read() says, and TenantBusy (other
  // writers), TenantNotReady (by the stamp), ConstraintViolated, DatabaseMoved, DiskSyncFailed; BadOptions inside read, write or once;
  // AccessRefused where the kind states JobOptions::reads_only.
  template <class Function>
  auto write(Function&& function) {
    may_write("write");
    return handle().write(std::forward<Function>(function));
  }

  // Runs `function(JobTransaction&)` unless this job has done the step already, in whatever attempt. What it writes, the jobs that it
  // enqueues, and the text it returns (if any, at most 64 KiB), are kept together with the mark, in one commit; `once` returns that text,
  // from this run or the one that did it, and only when it is on disk. What it throws undoes all of it. The jobs come to the queue at the
  // end of the run, however it ends.
  // `step` is unique within the job (in a loop it names the item), 1 to 256 bytes: BadOptions. DuplicateStep: twice in one
  // run. ClaimLost: a later run of this job has been here. And what write() says.
  template <class Function>
  std::string once(std::string_view step, Function&& function) {
    static_assert(std::is_invocable_v<Function&, JobTransaction&>,
                  "tenure: a step of `once` is called as function(tenure::JobTransaction&).");
    if constexpr (std::is_invocable_v<Function&, JobTransaction&>) return once_of(step, function);
    else return {};
  }

 private:
  friend class JobRegistry;
  void may_write(std::string_view verb) const;
  // The arguments are there, and the handler is called now.
  void begins();
  // What the handler has returned, encoded on this thread.
  void returns(FunctionRef<std::string()> encode);
  template <class Function>
  auto recorded_of(std::string_view name, Function& function) {
    using Value = std::decay_t<std::invoke_result_t<Function&>>;
    if constexpr (std::is_void_v<Value>) {
      if (!is_taped(name)) return static_cast<void>(function());
      static_cast<void>(tape_call(
          name, [&] { static_cast<void>(function()); }, [](PayloadContext&) { return std::string("null"); }));
    } else {
      if (!is_taped(name)) return Value(function());
      std::optional<Value> value;
      const std::string text = tape_call(
          name, [&] { value.emplace(function()); },
          [&](PayloadContext& payload) { return encode_arguments(*value, payload, kLimitsOfStored); });
      if (value) return *std::move(value);
      return decode_arguments<Value>(text, tape_payload(), kLimitsOfStored);
    }
  }
  // Whether calls are recorded or answered.
  [[nodiscard]] bool is_taped(std::string_view name) const;
  // Where the run is captured calls and returns nothing of use; in a replay returns the text of the recorded value.
  std::string tape_call(std::string_view name, FunctionRef<void()> call,
                        FunctionRef<std::string(PayloadContext&)> encode);
  [[nodiscard]] PayloadContext& tape_payload();

  template <class Function>
  std::string once_of(std::string_view step, Function& function) {
    using Returned = std::invoke_result_t<Function&, JobTransaction&>;
    if constexpr (std::is_void_v<Returned>) {
      return once_text(step, [&](JobTransaction& transaction) -> std::string {
        function(transaction);
        return {};
      });
    } else if constexpr (std::is_convertible_v<Returned, std::string_view>) {
      return once_text(step, [&](JobTransaction& transaction) { return std::string(function(transaction)); });
    } else {
      static_assert(
          std::is_convertible_v<Returned, std::string_view>,
          "tenure: a step of `once` returns nothing or text; std::to_string makes text of a number.");
      return {};
    }
  }
  std::string once_text(std::string_view step, FunctionRef<std::string(JobTransaction&)> function);
  detail::JobRun& run_;
};

}  // namespace tenure
