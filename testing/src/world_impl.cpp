#include "world_impl.hpp"

#include <tenure/base/text.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/queue/outbox_file.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

namespace tenure::testing {
namespace {

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kMarksMax = 10'000;
// More than there are jobs that are due, so that no job which is not meant keeps one from a slot that is.
constexpr int kSlotsBesides = 64;
// Who has what is waited for is on this very thread as a rule, and waits too.
constexpr std::chrono::milliseconds kWaitMax{20};

bool is_any(const auto& choice, const auto& value) {
  return choice.empty() || std::ranges::find(choice, value) != choice.end();
}

bool is_due(const queue::JobRecord& job, WallTime now) {
  if (job.finished) return false;
  return job.state != queue::ShownState::scheduled || job.due <= now;
}

// In its place, where others refer to it; the former one leaves what is its parent's.
template <class T, class... Arguments>
void make_anew(T& object, Arguments&&... arguments) {
  std::destroy_at(&object);
  std::construct_at(&object, std::forward<Arguments>(arguments)...);
}

}  // namespace

World::Impl::Impl(World& world, WorldOptions of_test)
    : options(std::move(of_test)),
      root(options.folder),
      clock(options.start),
      store(queue::make_memory_store()),
      watched(*store, fault_list, [this] { written(); }),
      handles(tenant_files(), handle_options()),
      tenant_template(detail::template_for(tenants_options(), root.path(), clock.wall())),
      tenants(watched.registry(), handles, clock, tenants_options()),
      client(watched, tenants, clock, client_options()),
      performing(performer_options()),
      performer(jobs, handles, clock, performing),
      faults(world) {}

TenantFiles World::Impl::tenant_files() const {
  return TenantFiles{(root.path() / "tenants/%{tenant}.db").string()};
}

HandleCacheOptions World::Impl::handle_options() const {
  return {.wait_max = kWaitMax,
          .write_wait_max = kWaitMax,
          .lock_wait_max = kWaitMax,
          .application = options.application};
}

PerformerOptions World::Impl::performer_options() {
  return {.application = options.application,
          .migrations = options.migrations,
          .migrate_on_touch = options.migrate_on_touch,
          .on_begin = [this] { faulty_run->begins(); },
          .on_left_open = [this](const std::string& sentence) { left_open.push_back(sentence); }};
}

void World::Impl::move_in_child(const std::filesystem::path& folder, std::unique_ptr<queue::Store> queue,
                                queue::Store& of_clients) {
  fault_list.clear();
  root.move_in_child(folder);
  store = std::move(queue);
  make_anew(watched, of_clients, fault_list, [this] { written(); });
  make_anew(handles, tenant_files(), handle_options());
  make_anew(tenants, watched.registry(), handles, clock, tenants_options());
  make_anew(performer, jobs, handles, clock, performing);
  client = Client{watched, tenants, clock, client_options()};
}

void World::Impl::written() {
  if (std::this_thread::get_id() != thread) return;
  if (daemon != nullptr) return daemon->hint();
  if (is_inline) perform_once({}, nullptr, {}, current_tenant());
}

std::set<queue::JobId> World::Impl::due_jobs() {
  std::set<queue::JobId> due;
  store->read([&](queue::JobReader& reader) {
    reader.visit_jobs({}, {.limit = kAll}, clock.wall(), [&](const queue::JobRecord& job) {
      if (is_due(job, clock.wall())) due.insert(job.id);
      return true;
    });
  });
  return due;
}

Runs World::Impl::perform_due(const DrainOptions& drain, const std::set<queue::JobId>* only,
                              std::optional<Instant> until) {
  if (daemon != nullptr)
    throw std::logic_error("jobs are performed already: a handler must not drain its world");
  DrainOptions left = drain;
  Runs performed;
  while (true) {
    Runs more = perform_once(left, only, until);
    left.runs_max -= more.size();
    std::ranges::move(more, std::back_inserter(performed));
    if (only != nullptr || !sweep_outboxes()) return performed;
  }
}

Runs World::Impl::perform_once(const DrainOptions& drain, const std::set<queue::JobId>* only,
                               std::optional<Instant> until, const std::optional<TenantName>& inside) {
  std::set<queue::JobId> performed;
  const detail::Surroundings surroundings{
      .store = *store,
      .clock = clock,
      .jobs = jobs,
      .performing = performing,
      .faults = fault_list,
      .perform =
          [&](const queue::AssignedJob& job, queue::RunNotes& notes) {
            performed.insert(job.id);
            return perform(job, notes);
          },
      .clear_outbox = [&](const queue::OutboxOwner& owner,
                          queue::OutboxSeq watermark) { performer.clear_outbox(owner, watermark); },
      .on_crash = [&] { performed.clear(); },  // what it has done may not be stored
      .on_run = [&](const JobRun& run) { runs.push_back(run); },
      .watch = watch};
  const auto takes = [&](const queue::ClaimedJob& job) {
    if (only != nullptr && (!only->contains(job.id) || performed.contains(job.id))) return false;
    if (inside && job.tenant && *job.tenant != *inside) return false;
    return is_chosen(job, drain);
  };
  // A choice that goes on keeps what it does not take, however much comes.
  std::optional<std::size_t> left_max;
  if (only == nullptr && drain.chooses()) left_max = drain.left_max;
  const std::size_t slots = left_max ? *left_max : due_jobs().size();
  detail::Daemon at_work(surroundings, {.takes = takes,
                                        .runs_max = drain.runs_max,
                                        .slots = static_cast<int>(slots) + kSlotsBesides,
                                        .left_max = left_max,
                                        .until = until,
                                        .queues = queues(),
                                        .seed = options.seed + runs.size()});
  daemon = &at_work;
  struct AtEnd {
    detail::Daemon*& daemon;
    ~AtEnd() { daemon = nullptr; }
  } const at_end{daemon};
  return at_work.work();
}

queue::AttemptEnd World::Impl::perform(const queue::AssignedJob& job, queue::RunNotes& notes) {
  const ScopesAside aside;
  const std::int64_t leased_before = handles.counters().leased;
  detail::FaultyRun faulty(fault_list, job, handles, clock);
  faulty_run = &faulty;
  queue::AttemptEnd end = performer.perform(job, {}, notes);
  faulty_run = nullptr;
  faulty.ended(end);
  if (handles.counters().leased > leased_before)
    left_open.push_back("the handler of " + job.kind + " ended with a handle of its own still open");
  return end;
}

std::vector<std::string> World::Impl::queues() const {
  if (!options.queues.empty()) return options.queues;
  std::vector<std::string> queues{"default"};
  for (const JobRegistry::Kind& kind : jobs.kinds()) queues.push_back(kind.queue);
  sort_uniquely(queues);
  return queues;
}

bool World::Impl::is_chosen(const queue::ClaimedJob& job, const DrainOptions& drain) {
  if (!is_any(drain.kinds, job.kind)) return false;
  if (!drain.tenants.empty() && (!job.tenant || !is_any(drain.tenants, *job.tenant))) return false;
  if (drain.queues.empty()) return true;
  std::optional<queue::JobRecord> record;
  store->read([&](queue::JobReader& reader) { record = reader.find_job(job.id); });
  return record && is_any(drain.queues, record->queue);
}

bool World::Impl::sweep_outboxes() {
  std::map<TenantName, std::vector<queue::OutboxMark>> marks;
  store->read([&](queue::JobReader& reader) {
    for (queue::OutboxMark& mark : reader.outbox_marks({}, kMarksMax))
      marks[mark.owner.tenant].push_back(std::move(mark));
  });
  bool has_any_come = false;
  for (const auto& [tenant, of_tenant] : marks) has_any_come = sweep(of_tenant) || has_any_come;
  return has_any_come;
}

// Of one file of many: what cannot be reached now stays marked, as it does for a daemon.
bool World::Impl::sweep(const std::vector<queue::OutboxMark>& marks) {
  const queue::OutboxOwner& owner = marks.front().owner;
  const ScopesAside aside;
  const TenantScope scope(owner.tenant, owner.generation);
  try {
    HandleLease lease = value_or_raise(handles.acquire(owner.tenant, owner.generation));
    return queue::sweep_file(*store, *lease, marks, clock).inserted > 0;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace tenure::testing
