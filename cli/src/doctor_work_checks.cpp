#include "doctor_checks.hpp"
#include "pauses.hpp"
#include "quiet_pools.hpp"
#include "released_tenants.hpp"
#include "restorable_copy.hpp"
#include "tenant_migrations.hpp"
#include "tenant_outbox.hpp"
#include "tenant_tree.hpp"

#include <tenure/base/sqlite/look.hpp>
#include <tenure/base/text.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/stamp.hpp>
#include <tenure/tenancy/tenant_copy.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

namespace tenure::cli {
namespace {

using queue::JobReason;
using queue::JobRecord;
using queue::PoolRecord;
using queue::TenantSummary;

constexpr std::size_t kTenantsPage = 1000;
constexpr std::size_t kHeldLooks = 10'000;  // of jobs that are held, the oldest
constexpr std::size_t kNamed = 20;          // of one kind of finding; more are counted
constexpr std::chrono::hours kCreationMax{1};

std::set<std::string> served_queues(std::span<const PoolRecord> pools) {
  std::set<std::string> served;
  for (const PoolRecord& pool : pools) {
    served.insert(pool.queues.begin(), pool.queues.end());
    served.insert(pool.default_queues.begin(), pool.default_queues.end());
  }
  return served;
}

// What was found of one thing after the other, as far as it is named, and whether nothing was.
class Named {
 public:
  Named(Examination& examination, std::string_view check) : examination_(examination), check_(check) {}

  void add(FindingLevel level, std::string text, std::string command) {
    if (++count_ <= kNamed) examination_.add(level, check_, std::move(text), std::move(command));
    else worst_unnamed_ = std::max(worst_unnamed_, level);
  }
  void end(std::string ok_text) {
    if (count_ == 0) examination_.add(FindingLevel::ok, check_, std::move(ok_text));
    if (count_ > kNamed)
      examination_.add(worst_unnamed_, check_, fmt::format("{} more like these", count_ - kNamed));
  }

 private:
  Examination& examination_;
  std::string_view check_;
  std::size_t count_ = 0;
  FindingLevel worst_unnamed_ = FindingLevel::ok;
};

queue::Filter held_for(JobReason reason) {
  queue::Filter filter;
  filter.terms.push_back(
      {queue::FilterField::state, false, {queue::Glob{std::string(name_of(queue::ShownState::held)), true}}});
  filter.terms.push_back(
      {queue::FilterField::reason, false, {queue::Glob{std::string(name_of(reason)), true}}});
  return filter;
}

std::vector<TenantSummary> all_tenants(Examination& examination) {
  std::vector<TenantSummary> all;
  while (true) {
    const auto after = all.empty() ? std::nullopt : std::optional{all.back().tenant.name};
    auto page =
        examination.ask([&](queue::JobReader& reader) { return reader.tenants(after, kTenantsPage); });
    const bool is_last = page.size() < kTenantsPage;
    for (TenantSummary& tenant : page) all.push_back(std::move(tenant));
    if (is_last) return all;
  }
}

// A pause is the registry's alone: running jobs go on and write. Whoever deletes closes the stamp on the way.
bool is_stamp_of(TenantState tenant, TenantState stamp) {
  const bool is_open = stamp == TenantState::active || stamp == TenantState::read_only;
  if (tenant == TenantState::paused) return is_open;
  if (tenant == TenantState::draining) return is_open || stamp == TenantState::deleted;
  return stamp == tenant;
}

// What the tenant's own file says against the registry; empty where they agree.
std::string stamp_problem(const TenantFiles& files, const TenantRecord& tenant,
                          std::string_view application) {
  const std::filesystem::path path = files.path_for(tenant.name);
  try {
    files.refuse_links(tenant.name);
    std::optional<Stamp> stamp;
    sqlite::look_at(path, [&](sqlite::Connection& connection) { stamp = read_stamp(connection); });
    if (!stamp) return "the file has no stamp, so it is no tenant's";
    // Whoever deletes has closed it, and goes on.
    const TenantState state = stamp->state;
    if (tenant.state == TenantState::draining && state == TenantState::deleted)
      stamp->state = TenantState::draining;
    const auto same = check_identity(*stamp, {tenant.name, tenant.generation, std::string(application)});
    if (!same) return same.error().message;
    if (!is_stamp_of(tenant.state, state))
      return fmt::format("the file says {}, the registry {}", name_of(state), name_of(tenant.state));
  } catch (const Error& error) {  // of one tenant; the others are looked at all the same
    return error.failure().message;
  }
  return {};
}

void add_failed(Examination& examination, Named& named, const TenantSummary& summary) {
  const TenantRecord& tenant = summary.tenant;
  const std::string name = escaped(tenant.name.text());
  const auto behind = examination.ask(
      [&](queue::JobReader& reader) { return behind_file(reader, tenant.name, tenant.generation); });
  if (behind)
    named.add(FindingLevel::fail, fmt::format("{} is failed: {}", name, text_of(*behind)),
              change_of_behind(tenant.name));
  else if (const auto failed = failed_migration(tenant, summary.migration))
    named.add(FindingLevel::fail, fmt::format("{} is failed: {}", name, text_of_failed(*failed)),
              change_of_failed(tenant.name));
  else named.add(FindingLevel::fail, name + " is failed: its jobs wait", "tenure tenant list state=failed");
}

std::optional<queue::TenantRestore> open_restore(Examination& examination, const TenantName& tenant) {
  return examination.ask([&](queue::JobReader& reader) {
    auto restore = reader.tenant_restore(tenant);
    const auto summary = reader.tenant(tenant);
    const bool is_open = restore && summary && restore->is_open() && is_restore_of(*restore, summary->tenant);
    return is_open ? restore : std::nullopt;
  });
}

// By which an interrupted creation goes on, as far as the files beside the control database say.
std::string command_of_creation(Examination& examination, const std::string& name) {
  Session& session = examination.session();
  const auto tenant = TenantName::parse(name);
  if (tenant && open_restore(examination, *tenant))
    return fmt::format("tenure tenant restore {} FILE", escaped(name));
  const std::string create = "tenure tenant create " + escaped(name);
  if (!tenant || session.is_offline()) return create;
  const TenantFiles files(session.settings().tenants.path);
  const auto origin = origin_of_creation(files, *tenant);
  std::error_code ignored;
  if (!origin && std::filesystem::exists(files.path_for(*tenant), ignored))
    return "tenure tenant adopt " + tenant->text();
  if (!origin || origin->empty()) return create;
  constexpr std::string_view kClone = "clone:";
  if (origin->starts_with(kClone))
    return fmt::format("tenure tenant clone {} {}", escaped(origin->substr(kClone.size())), tenant->text());
  return origin->find(':') == std::string::npos ? "tenure tenant undelete " + tenant->text() : create;
}

// Whoever deletes it has been interrupted, or is at it.
void add_draining(Examination& examination, Named& named, const TenantRecord& tenant) {
  const auto deletion =
      examination.ask([&](queue::JobReader& reader) { return reader.deletion(tenant.number); });
  const std::string name = escaped(tenant.name.text());
  if (const auto restore = open_restore(examination, tenant.name))
    return named.add(FindingLevel::warn,
                     fmt::format("{} is draining since {}: a copy is to be put in its place", name,
                                 full_time_text(restore->begun, examination.style())),
                     fmt::format("tenure tenant restore {} FILE", name));
  if (!deletion)
    return named.add(
        FindingLevel::warn,
        fmt::format("{} is draining: its database was closed for a deletion or for a copy, and which of "
                    "them was begun is not known any more",
                    name),
        fmt::format("tenure tenant restore {0} FILE, or tenure tenant delete {0}", name));
  named.add(FindingLevel::warn,
            fmt::format("{} is draining since {}: it is to be deleted", name,
                        full_time_text(deletion->begun, examination.style())),
            "tenure tenant delete " + name);
}

// Nobody erases it while that stands.
void add_taken_back(Examination& examination, Named& named) {
  const auto open = examination.ask([](queue::JobReader& reader) {
    std::vector<TenantRecord> found;
    for (auto page = reader.open_deletions(TenantNumber{0}, kTenantsPage); !page.empty();
         page = reader.open_deletions(page.back().tenant.number, kTenantsPage))
      for (const queue::DeletionRecord& deletion : page)
        if (deletion.step == queue::DeletionStep::taking_back) found.push_back(deletion.tenant);
    return found;
  });
  for (const TenantRecord& tenant : open)
    named.add(FindingLevel::warn,
              fmt::format("generation {} of {} is being taken back, or that was interrupted",
                          tenant.generation.value, escaped(tenant.name.text())),
              fmt::format("tenure tenant undelete {} --generation {}", escaped(tenant.name.text()),
                          tenant.generation.value));
}

// Files at places of tenants that the registry does not have.
void name_strangers(const TenantFiles& files, const std::vector<TenantSummary>& tenants, Named& named) {
  std::set<TenantName> known;
  for (const TenantSummary& summary : tenants) known.insert(summary.tenant.name);
  for (const TreeFile& file : files_of_tenants(files)) {
    if (known.contains(file.name)) continue;
    named.add(FindingLevel::fail,
              fmt::format("{} lies at the place of {}, which the registry does not have; it is not served",
                          escaped(file.path.string(), 1024), file.name.text()),
              "move it away, or put the right control database in place");
  }
}

// Folders of tenants' files that no tenant has.
void name_left_folders(const TenantFiles& files, const std::vector<TenantSummary>& tenants, Named& named) {
  std::set<std::string> own;
  for (const TenantSummary& summary : tenants)
    if (summary.tenant.state != TenantState::deleted)
      own.insert(fmt::format("{}.{}", summary.tenant.name.text(), summary.tenant.generation.value));
  const std::filesystem::path folder = files.root() / ".folders";
  for (const std::string& name : names_in(folder))
    if (!own.contains(name))
      named.add(
          FindingLevel::warn,
          fmt::format("{} lies in .folders, and there is no such generation of a tenant", escaped(name)),
          "look at it, and move it away: " + escaped((folder / name).string(), 1024));
}

// What a creation or a deletion has left behind, or is at work on.
void name_leftovers(Examination& examination, const TenantFiles& files, Named& named) {
  for (const std::string& name : names_in(files.building_folder()))
    named.add(FindingLevel::warn,
              fmt::format("{} lies in .building: a creation or deletion is under way, or was interrupted",
                          escaped(name)),
              command_of_creation(examination, std::filesystem::path{name}.stem().string()));
  std::set<std::string> buried;
  examination.ask([&](queue::JobReader& reader) {
    for (auto page = reader.open_deletions(TenantNumber{0}, kTenantsPage); !page.empty();
         page = reader.open_deletions(page.back().tenant.number, kTenantsPage))
      for (const queue::DeletionRecord& deletion : page)
        for (const std::string_view ending : {"db", "folder"})
          buried.insert(
              fmt::format("{}.{}.{}", deletion.tenant.name.text(), deletion.tenant.generation.value, ending));
    return true;
  });
  for (const std::string& name : names_in(files.root() / ".graveyard")) {
    const bool is_log = name.ends_with("-wal") || name.ends_with("-shm");
    if (!buried.contains(is_log ? name.substr(0, name.size() - 4) : name))
      named.add(FindingLevel::warn,
                fmt::format("{} lies in .graveyard, and no tenant was deleted that it is of", escaped(name)),
                (files.root() / ".graveyard" / name).string());
  }
}

// One that nobody takes back holds its jobs for ever.
void name_pause(Examination& examination, const queue::PauseRecord& pause, Named& named) {
  if (pause.until && *pause.until <= examination.session().now()) return;
  named.add(FindingLevel::warn,
            fmt::format("\"{}\" is paused {}", escaped(pause.name), pause_text(pause, examination.style())),
            fmt::format("tenure {} resume {}", name_of(pause.scope), escaped(pause.name)));
}

void name_pauses(Examination& examination, queue::PauseScope scope, Named& named) {
  for (const queue::PauseRecord& pause :
       examination.ask([](queue::JobReader& reader) { return reader.pauses(); }))
    if (pause.scope == scope) name_pause(examination, pause, named);
}

// An operator decides what becomes of them; a tenant that was deleted behind it takes none of them any more.
bool is_of_restored(Examination& examination, const queue::DanglingWork& work) {
  const auto name = TenantName::parse(work.tenant);
  if (!name) return false;
  return examination.ask([&](queue::JobReader& reader) {
    const auto restore = reader.tenant_restore(*name);
    const auto newest = reader.tenant(*name);
    return restore && work.generation <= restore->before.generation && newest &&
           newest->tenant.state != TenantState::deleted;
  });
}

// Jobs of tenants that no pool of their queue takes.
void name_left_out(Examination& examination, Named& named) {
  const auto held = examination.ask([&](queue::JobReader& reader) {
    return reader
        .list_jobs(held_for(JobReason::tenant_without_pool),
                   {.limit = kHeldLooks, .order = queue::ListOrder::oldest_first},
                   examination.session().now())
        .jobs;
  });
  std::map<std::pair<std::string, std::string>, std::int64_t> counts;
  for (const JobRecord& job : held)
    ++counts[{job.queue, job.tenant ? std::string{job.tenant->text()} : std::string{queue::kUntenantedName}}];
  for (const auto& [place, count] : counts) {
    const auto& [queue, tenant] = place;
    named.add(
        FindingLevel::fail,
        fmt::format("{} of {} in \"{}\", and each pool that lists it leaves that tenant out",
                    counted(count, "job", examination.style()), escaped(tenant), escaped(queue)),
        fmt::format("change tenants of a [[pool]]; tenure job list tenant={} reason=tenant_without_pool",
                    escaped(tenant)));
  }
}

}  // namespace

void check_queues(Examination& examination) {
  struct Work {
    std::vector<queue::QueueRecord> queues;
    std::vector<PoolRecord> pools;
  };
  const Work work = examination.ask([](queue::JobReader& reader) {
    return Work{reader.queues(), reader.pools()};
  });
  Named named(examination, "queues");
  name_pauses(examination, queue::PauseScope::queue, named);
  if (work.pools.empty()) return named.end("no dispatcher has told yet which pools there are");
  const std::set<std::string> served = served_queues(work.pools);
  for (const queue::QueueRecord& queue : work.queues) {
    const std::int64_t waiting = queue.scheduled + queue.ready + queue.held;
    if (waiting == 0 || served.contains(queue.name)) continue;
    named.add(FindingLevel::fail,
              fmt::format("{} in \"{}\", which no pool lists", counted(waiting, "job", examination.style()),
                          escaped(queue.name)),
              fmt::format("add it to queues of a [[pool]]; tenure job list queue={}", escaped(queue.name)));
  }
  name_left_out(examination, named);
  named.end("each queue in which jobs wait is listed by a pool, and none is paused");
}

void check_kinds(Examination& examination) {
  Named named(examination, "kinds");
  name_pauses(examination, queue::PauseScope::kind, named);
  for (const JobReason reason : {JobReason::kind_unknown, JobReason::pool_without_worker}) {
    const auto held = examination.ask([&](queue::JobReader& reader) {
      return reader
          .list_jobs(held_for(reason), {.limit = kHeldLooks, .order = queue::ListOrder::oldest_first},
                     examination.session().now())
          .jobs;
    });
    std::map<std::string, std::int64_t> counts;
    for (const JobRecord& job : held) ++counts[reason == JobReason::kind_unknown ? job.kind : job.queue];
    for (const auto& [name, count] : counts) {
      const std::string jobs = counted(count, "job", examination.style());
      if (reason == JobReason::kind_unknown)
        named.add(FindingLevel::warn,
                  fmt::format("{} of {} held: no running worker program knows the kind", jobs, escaped(name)),
                  "tenure job list state=held kind=" + escaped(name));
      else
        named.add(FindingLevel::warn,
                  fmt::format("{} in \"{}\" held: the pools that list it have no worker process", jobs,
                              escaped(name)),
                  "journalctl -u tenured");
    }
  }
  named.end("no job is held for want of a worker program, and no kind is paused");
}

void check_dangling(Examination& examination) {
  Named named(examination, "dangling");
  for (const queue::DanglingWork& work :
       examination.ask([](queue::JobReader& reader) { return reader.dangling_work(); })) {
    if (is_of_restored(examination, work)) {
      named.add(FindingLevel::warn,
                fmt::format("{} of {}, generation {}, wait since its database was put back from a copy",
                            counted(work.jobs, "job", examination.style()), escaped(work.tenant),
                            work.generation.value),
                "tenure tenant reconcile " + escaped(work.tenant));
      continue;
    }
    named.add(FindingLevel::warn,
              fmt::format("{} of {}, generation {}, which is {}",
                          counted(work.jobs, "waiting job", examination.style()), escaped(work.tenant),
                          work.generation.value,
                          work.state == TenantState::deleted ? "deleted" : "no more the newest"),
              fmt::format("tenure job cancel tenant={} generation={}", escaped(work.tenant),
                          work.generation.value));
  }
  named.end("no job waits for a tenant that will never take it");
}

void check_quiet(Examination& examination) {
  if (examination.session().is_offline())
    return examination.add(FindingLevel::ok, "quiet", "is the daemon's to say, and this is a copy");
  const AskedPools asked = ask_for_quiet_pools(examination.session());
  if (!asked.problem.empty())
    return examination.add(FindingLevel::ok, "quiet",
                           "not known, since the daemon was not asked: " + asked.problem);
  for (const QuietPool& pool : asked.quiet)
    examination.add(FindingLevel::warn, "quiet", text_of(pool), command_of(pool));
  if (asked.quiet.empty()) examination.add(FindingLevel::ok, "quiet", "no pool is quiet");
}

void check_released(Examination& examination) {
  const ShowStyle& style = examination.style();
  const auto released = examination.ask(
      [&](queue::JobReader& reader) { return released_tenants(reader, examination.session().now()); });
  if (released.empty())
    return examination.add(FindingLevel::ok, "released", "no job was given back within the last minute");
  const ReleasedTenant& first = released.front();
  const std::string tenant = escaped(first.tenant.text());
  examination.add(
      FindingLevel::warn, "released",
      fmt::format("{} {} jobs that were given back: {}, {}: {}",
                  counted(std::ssize(released), "tenant", style), released.size() == 1 ? "has" : "have",
                  tenant, time_text(first.release.at, style), first.release.error),
      "tenure why tenant=" + tenant);
}

// Where a fleet is, one command does for all.
void name_behind(Examination& examination, const std::vector<TenantSummary>& tenants, Named& named) {
  const auto behind = examination.ask([](queue::JobReader& reader) { return reader.tenants_behind(); });
  for (const queue::TenantBehind& each : behind) {
    const auto tenant = std::ranges::find_if(
        tenants, [&](const TenantSummary& summary) { return summary.tenant.number == each.tenant; });
    if (tenant == tenants.end()) continue;
    const std::string name = escaped(tenant->tenant.name.text());
    named.add(FindingLevel::warn,
              fmt::format("jobs of {} wait for a migration since {}: {}", name,
                          full_time_text(each.since, examination.style()), escaped(each.told)),
              "tenure tenant migrate name=" + name);
  }
}

void check_tenants(Examination& examination) {
  const auto tenants = all_tenants(examination);
  std::map<TenantState, std::int64_t> states;
  Named named(examination, "tenants");
  for (const TenantSummary& summary : tenants) {
    const TenantRecord& tenant = summary.tenant;
    ++states[tenant.state];
    if (summary.pause) name_pause(examination, *summary.pause, named);
    if (tenant.state == TenantState::draining) add_draining(examination, named, tenant);
    if (tenant.state == TenantState::failed) add_failed(examination, named, summary);
    else if (tenant.state == TenantState::provisioning &&
             examination.session().now() - tenant.created > kCreationMax)
      named.add(FindingLevel::warn,
                fmt::format("{} has been in creation since {}", escaped(tenant.name.text()),
                            full_time_text(tenant.created, examination.style())),
                command_of_creation(examination, tenant.name.text()));
  }
  name_behind(examination, tenants, named);
  add_taken_back(examination, named);
  std::string text = counted(std::ssize(tenants), "tenant", examination.style());
  for (const auto& [state, count] : states)
    text += fmt::format(", {} {}", number_text(count, examination.style()), name_of(state));
  named.end(text);
}

void check_stamps(Examination& examination) {
  if (examination.session().is_offline())
    raise(ErrorCode::bad_options, "stamps opens the tenants' databases, which lie beside no copy");
  const config::Settings& settings = examination.session().settings();
  const TenantFiles files(settings.tenants.path);
  const auto tenants = all_tenants(examination);
  Named named(examination, "stamps");
  for (const TenantSummary& summary : tenants) {
    const TenantRecord& tenant = summary.tenant;
    if (tenant.state == TenantState::provisioning) continue;  // its file may not be there yet
    if (const auto problem = stamp_problem(files, tenant, settings.application.name); !problem.empty())
      named.add(FindingLevel::fail,
                fmt::format("{}: {}", escaped(tenant.name.text()), escaped(problem, 1024)),
                files.path_for(tenant.name).string());
  }
  name_strangers(files, tenants, named);
  name_leftovers(examination, files, named);
  name_left_folders(files, tenants, named);
  named.end(counted(std::ssize(tenants), "tenant", examination.style()) +
            ", each with the stamp that the registry has, and no file besides");
}

}  // namespace tenure::cli
