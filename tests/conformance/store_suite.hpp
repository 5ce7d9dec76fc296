#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/store.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

// What every store does. A suite is a set of TEST_P(StoreSuite, ...) in any source of the program; store_suite.cpp names the
// stores.
namespace tenure::queue {

struct BookkeepingLimits;

// For messages of failed expectations.
inline std::ostream& operator<<(std::ostream& out, JobState state) { return out << name_of(state); }
inline std::ostream& operator<<(std::ostream& out, ShownState state) { return out << name_of(state); }
inline std::ostream& operator<<(std::ostream& out, JobReason reason) { return out << name_of(reason); }
inline std::ostream& operator<<(std::ostream& out, AttemptOutcome outcome) { return out << name_of(outcome); }

}  // namespace tenure::queue

namespace tenure::testing {

using namespace queue;  // NOLINT: the suites speak of nothing else
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Abandoned {};  // thrown out of a write on purpose

// A store, the same store as another process has it open, and what only lifecycle verbs can do to its tenants.
class StoreWorld {
 public:
  virtual ~StoreWorld() = default;
  virtual Store& store() = 0;
  virtual Store& of_another_process() = 0;
  virtual void set_tenant_state(const TenantName& tenant, TenantState state) = 0;
  // What a dispatcher holds for life. One in memory needs nothing: it is in its own process.
  virtual void lock_as_dispatcher() {}
};

struct StoreFactory {
  std::string_view name;
  std::unique_ptr<StoreWorld> (*make)();
  friend std::ostream& operator<<(std::ostream& out, const StoreFactory& factory) {
    return out << factory.name;
  }
};

[[nodiscard]] std::unique_ptr<StoreWorld> make_memory_world();
[[nodiscard]] std::unique_ptr<StoreWorld> make_sqlite_world();
// One that absorbs and settles a few rows at a time, as soon as it may.
[[nodiscard]] std::unique_ptr<StoreWorld> make_eager_sqlite_world();
[[nodiscard]] BookkeepingLimits eager_bookkeeping();

inline constexpr Incarnation kLife{1000};
inline constexpr ProcessNumber kProcess{7};

class StoreSuite : public ::testing::TestWithParam<StoreFactory> {
 protected:
  Store& store() { return world_->store(); }
  void write(FunctionRef<void(StoreWriter&)> work) { store().write(Durability::ordered, work); }

  // Calls `verb` inside a commit and returns what it returned.
  template <class Verb>
  auto written(Verb verb) {
    std::optional<std::invoke_result_t<Verb, StoreWriter&>> result;
    write([&](StoreWriter& writer) { result.emplace(verb(writer)); });
    return std::move(*result);
  }
  // What a dispatcher asks.
  template <class Question>
  auto told(Question question) {
    return written([&](StoreWriter& writer) { return question(writer.reader()); });
  }
  template <class Question>
  auto asked(Question question) {
    std::optional<std::invoke_result_t<Question, JobReader&>> answer;
    store().read([&](JobReader& reader) { answer.emplace(question(reader)); });
    return std::move(*answer);
  }

  TenantRecord create_tenant(std::string_view name);
  void set_tenant_state(std::string_view name, TenantState state);

  // A job of kind `billing.send_invoice` in queue `default`, due now, with an id of its own.
  NewJob new_job(std::optional<std::string_view> tenant = std::nullopt);
  Result<Enqueued> enqueue(const NewJob& job);
  // For a job that must be accepted.
  Enqueued put(const NewJob& job);
  // One more untenanted job.
  Enqueued put() { return put(new_job()); }

  // All lanes of one tenant that share the first one's queue and priority, from the front; tokens go on counting.
  ClaimReply claim(TenantNumber tenant = kUntenanted, std::size_t count = 1,
                   std::size_t bytes_max = std::numeric_limits<std::size_t>::max());
  // What claim() asks.
  ClaimRequest claim_request(TenantNumber tenant, std::size_t count);
  // For a job that must be there.
  ClaimedJob claim_one(TenantNumber tenant = kUntenanted);
  [[nodiscard]] static ClaimRef ref(const ClaimedJob& job) { return {job.seq, job.token}; }

  JobRecord record(JobId id);
  std::vector<AttemptRecord> attempts(JobSeq seq);
  std::vector<Lane> lanes();
  void advance(std::chrono::microseconds by) { now_ += by; }

  template <class T>
  static std::optional<ErrorCode> code_of(const Result<T>& result) {
    return result ? std::nullopt : std::optional{result.error().code};
  }

  WallTime now_ = from_us(1'700'000'000'000'000);
  std::unique_ptr<StoreWorld> world_ = GetParam().make();
  std::int64_t last_id_ = 0;
  std::int64_t next_counter_ = 1;
};

}  // namespace tenure::testing
