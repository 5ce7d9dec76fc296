#pragma once

#include <tenure/jobs/options.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What goes wrong in a world, on request of its test.
namespace tenure::testing {

class World;
namespace detail {
struct FaultState;
}

// At which commit of the queue daemon and worker process die, both at once, as a machine does. Another daemon takes over and goes on.
enum class CrashPoint : std::uint8_t {
  before_claim_commit,   // nobody has claimed the job
  after_claim_commit,    // it is claimed and has not run
  before_finish_commit,  // it has run, and the queue does not know
  after_finish_commit,   // the queue knows, and the daemon has not heard of it
};

// A fault that was asked for: how often, and how often it has happened. Copies are one; it may outlive its world.
class Fault {
 public:
  explicit Fault(std::shared_ptr<const detail::FaultState> state) : state_(std::move(state)) {}
  // "tenant_gone(acme)"
  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] int asked() const;
  [[nodiscard]] int fired() const;

 private:
  std::shared_ptr<const detail::FaultState> state_;
};

// Each call asks for a fault that happens `times` times (at least 1), at the next places where it can; several of a kind happen one after
// the other. One that has not happened as often by the end of the test is a problem of its world (World::finish), since its test has not
// tested it. Threads: the world's.
class Faults {
 public:
  // While a job of that tenant runs its database is not at its place. The run is TenantUnavailable, and costs no attempt.
  Fault tenant_gone(const TenantName& tenant, int times = 1);
  // While a job of that tenant runs another process writes to its database all the time. It has happened where the run has ended with
  // TenantBusy: a handler that does not write, or passes over it, does not count.
  Fault tenant_busy(const TenantName& tenant, int times = 1);
  // The next commit of a client to the queue is DiskError, and nothing of it is stored. Of Client::transaction it is the one before the
  // tenant's, which marks the tenant's file, where that is not marked yet, as by the first transaction of a tenant: then nothing of the
  // transaction is stored either. Where it is, it is the one behind: the jobs stay in their outbox, and come at the next drain.
  Fault disk_full(int times = 1);
  // While a job of that tenant runs no file takes another byte: for the whole process, so what the handler writes into files of its own is
  // refused, too. It has happened where the run has failed by it: DiskError, or TenantUnavailable, which cost no attempt.
  Fault disk_full_in(const TenantName& tenant, int times = 1);
  // Before the next handler begins the wall clock jumps, forward or back; the steady one goes on.
  Fault clock_jump(std::chrono::microseconds by, int times = 1);
  // Enqueues what a program of another version has enqueued: `arguments` is its JSON, `kind` the name that it used. What Client::enqueue
  // says of a job without a type. It has happened when the job has run.
  Fault older_payload(std::string_view kind, std::string_view arguments, const EnqueueOptions& options = {});
  // What the handler had done in its tenant's database stays. Of jobs that the call performs: one that it leaves out is no such place.
  Fault crash(CrashPoint point, int times = 1);

 private:
  friend class World;
  explicit Faults(World& world) : world_(world) {}
  World& world_;
};

}  // namespace tenure::testing
