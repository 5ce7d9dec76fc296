#include "crash_runs.hpp"

#include "child_process.hpp"
#include "world_impl.hpp"

#include <tenure/base/exception_text.hpp>
#include <tenure/base/sqlite/open_databases.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace tenure::testing::detail {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kOriginal = "original";
constexpr std::string_view kNow = "now";
constexpr std::string_view kWorld = "world";
constexpr std::string_view kQueue = "queue.db";
constexpr int kEnded = 0;
constexpr std::size_t kEveryTenant = std::numeric_limits<std::size_t>::max();

// Folders with a mode of their own, and not the copied one: the set-group-id bit may not be set everywhere that this runs.
void copy_folder(const fs::path& from, const fs::path& into) {
  fs::create_directory(into);
  for (const auto& entry : fs::directory_iterator{from}) {
    const fs::path copied = into / entry.path().filename();
    if (entry.is_symlink()) fs::copy_symlink(entry.path(), copied);
    else if (entry.is_directory()) copy_folder(entry.path(), copied);
    else if (entry.is_regular_file()) fs::copy_file(entry.path(), copied);
  }
}

std::size_t number_in(const std::string& text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// What its notes say; how it ended says the process.
ProcessEnd told_in(const std::vector<Record>& notes) {
  ProcessEnd end;
  for (const Record& note : notes) {
    if (note[0] == "step")
      end.steps.push_back({.number = static_cast<int>(number_in(note[1])),
                           .kind = static_cast<StepKind>(number_in(note[2])),
                           .name = note[3]});
    if (note[0] == "died") end.died_at = note[1];
    if (note[0] == "failed") end.failure = note[1];
    if (note[0] == "broken") end.why = note[1];
    if (note[0] == "ended") {
      end.how = ProcessEnd::How::ended;
      end.runs = number_in(note[1]);
    }
  }
  end.state = state_in(notes);
  return end;
}

}  // namespace

CrashRuns::CrashRuns(World& world, const CrashOptions& options, EnqueueOne enqueue)
    : impl_(*world.impl_),
      options_(options),
      begun_(impl_.clock.wall()),
      job_{uuids_of_process().next(begun_)},
      folder_(impl_.options.folder) {
  if (impl_.daemon != nullptr)
    throw std::logic_error("jobs are performed already: a handler must not have a job crash everywhere");
  if (options.run_max < std::chrono::seconds{1} || options.steps_max < 1)
    raise(ErrorCode::bad_options, "a run has a second at least (run_max), and a step (steps_max)");
  require_closed();
  fs::create_directory(folder_.path() / kOriginal);
  copy_folder(impl_.root.path(), folder_.path() / kOriginal / kWorld);
  make_queue(enqueue);
  require_closed();
}

void CrashRuns::require_closed() {
  impl_.handles.close_idle();
  sqlite::refuse_open_databases("crash_everywhere");
}

void CrashRuns::make_queue(EnqueueOne enqueue) {
  const auto store =
      queue::open_sqlite_store({.path = folder_.path() / kOriginal / kQueue, .create = true}, impl_.clock);
  for (const TenantRecord& tenant : impl_.store->registry().list(std::nullopt, kEveryTenant)) {
    const TenantRecord made = value_or_raise(store->registry().begin_create(tenant.name, tenant.created));
    if (made.generation != tenant.generation || tenant.state != TenantState::active)
      raise(ErrorCode::bad_options,
            fmt::format("tenant {} is {}, of generation {}; the tenants of runs are active and were never "
                        "made again",
                        tenant.name.text(), name_of(tenant.state), tenant.generation.value),
            tenant.name.text());
    value_or_raise(store->registry().activate(made.name, made.generation));
  }
  Client client{*store, impl_.tenants, impl_.clock, {.application = impl_.options.application}};
  enqueue(client, {.id = job_.uuid, .tenant = options_.tenant, .untenanted = options_.untenanted});
  store->read([&](queue::JobReader& reader) {
    const queue::JobRecord job = reader.find_job(job_).value();
    job_text_ = job.kind + (job.tenant ? " of " + job.tenant->text() : " of no tenant");
  });
}

ProcessEnd CrashRuns::run(std::chrono::microseconds later) {
  begin_anew();
  return in_child({}, later);
}

ProcessEnd CrashRuns::run_to(const Steps::Plan::Death& death) {
  begin_anew();
  return in_child({.death = death}, {});
}

ProcessEnd CrashRuns::run_again() { return in_child({.has_former_died = true}, {}); }

void CrashRuns::begin_anew() const {
  fs::remove_all(folder_.path() / kNow);
  copy_folder(folder_.path() / kOriginal, folder_.path() / kNow);
}

ProcessEnd CrashRuns::in_child(const Steps::Plan& plan, std::chrono::microseconds later) {
  fs::remove(notes_path());
  const ChildEnd child_end = fork_and_wait([&] { child(plan, later); }, output_path(), options_.run_max);
  const std::vector<Record> notes = read_records(notes_path());
  if (!notes.empty() && notes.back()[0] == "refused") raise(ErrorCode::bad_options, notes.back()[1]);
  ProcessEnd end = told_in(notes);
  const bool has_died = child_end.code == kDied && !end.died_at.empty();
  if (has_died) end.how = ProcessEnd::How::died;
  if (has_died || (child_end.code == kEnded && end.how == ProcessEnd::How::ended)) return end;
  end.how = ProcessEnd::How::otherwise;
  if (end.why.empty()) end.why = child_end.text;
  if (!child_end.output.empty()) end.why += "\nIt has printed:\n" + child_end.output;
  return end;
}

// Noexcept: what is thrown past this would unwind into the test.
void CrashRuns::child(const Steps::Plan& plan, std::chrono::microseconds later) noexcept {
  RecordWriter notes(notes_path());
  try {
    perform(plan, later, notes);
  } catch (const BadOptions& error) {  // of a process: the caller's, as in read_state
    notes.add({"refused", error.failure().message});
  } catch (...) {  // of a process
    notes.add({"broken", text_of_thrown()});
  }
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(kEnded);
}

void CrashRuns::perform(const Steps::Plan& plan, std::chrono::microseconds later, RecordWriter& notes) {
  Steps steps(plan, notes);
  auto store = queue::open_sqlite_store({.path = folder_.path() / kNow / kQueue}, impl_.clock);
  SteppedStore of_clients(*store, steps);
  impl_.move_in_child(folder_.path() / kNow / kWorld, std::move(store), of_clients);
  impl_.clock.advance(later);
  impl_.watch = &steps;
  impl_.sweep_outboxes();
  tenure::detail::watch_commits(&steps);
  const std::set<queue::JobId> only{job_};
  const Runs runs = impl_.perform_due({}, &only, {});
  steps.over();
  impl_.sweep_outboxes();
  tell_end(notes, runs);
  std::fflush(stdout);
  std::fflush(stderr);
  ::_exit(kEnded);  // before anything here ends
}

void CrashRuns::tell_end(RecordWriter& notes, const Runs& runs) {
  if (!runs.empty() && runs.front().failure) notes.add({"failed", runs.front().text()});
  impl_.handles.close_idle();
  write_state(
      read_state(*impl_.store, impl_.handles.files(),
                 {.job = job_, .leave_out = options_.leave_out, .now = impl_.clock.wall(), .begun = begun_}),
      notes);
  notes.add({"ended", std::to_string(runs.size())});
}

}  // namespace tenure::testing::detail
