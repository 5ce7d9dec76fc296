#include "capsules.hpp"

#include <tenure/daemon/assigned_job.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/queue/run_notes.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace tenure::testing {

namespace fs = std::filesystem;

namespace {

constexpr const char* kBooks =
    "create table invoice (id integer primary key, paid_at text, rate integer) strict;"
    "create table line (id integer primary key, number integer not null) strict;"
    "create table note (text text not null) strict;";

queue::ClaimedJob claim_first(queue::Store& store, const Clock& clock) {
  std::optional<queue::ClaimedJob> claimed;
  store.write(queue::Durability::ordered, [&](queue::StoreWriter& writer) {
    const queue::Incarnation incarnation = writer.open_incarnation(1, "test", 1, clock.wall());
    const queue::Lane lane = writer.reader().lanes(std::nullopt, 1).at(0);
    claimed = writer
                  .claim({.queue = lane.queue,
                          .priority = lane.priority,
                          .tenant = lane.tenant,
                          .kinds = {{lane.kind, std::nullopt}},
                          .count = 1,
                          .incarnation = incarnation,
                          .first_counter = 1,
                          .process = queue::ProcessNumber{1}},
                         clock.wall())
                  .jobs.at(0);
  });
  return *std::move(claimed);
}

}  // namespace

Replays::Replays() : live_(folder_ / "live"), scratch_(folder_ / "scratch") {
  for (const fs::path& folder : {live_, scratch_, folder_ / "capsules"}) fs::create_directory(folder);
  ::setenv("OUTSIDE", (folder_ / "outside").c_str(), 1);
  install();
  capture();
}

void Replays::install() {
  std::ofstream(live_ / "tenure.toml")
      << "[application]\nname = \"test\"\n[store]\npath = \"%{config_dir}/control.db\"\n"
         "[tenants]\npath = \"%{config_dir}/tenants/%{tenant}.db\"\n"
         "[[pool]]\nname = \"general\"\nqueues = [\"default\"]\nprogram = \""
      << REPLAY_WORKER << "\"\n";
  static_cast<void>(Client::open(live_ / "tenure.toml"));
}

// What a dispatcher and its worker process do with a job that is to be captured.
void Replays::capture() {
  const RealClock clock;
  const auto store = queue::make_memory_store();
  HandleCache handles(TenantFiles((live_ / "tenants/%{tenant}.db").string()), {.application = "test"});
  Tenants tenants(store->registry(), handles, clock,
                  {.application = "test", .migrations = {{1, "0001_books.sql", kBooks}}});
  for (const char* name : {"acme", "bolt"}) {
    tenants.create(TenantName{name});
    with_tenant(name, [&] {
      tenants.open(TenantName{name})->write([&](TenantTransaction& transaction) {
        transaction.execute("insert into invoice (id) values (7), (8)");
        transaction.execute("insert into note (text) values (?)", std::string("a note of ") + name);
      });
    });
  }
  Client client(*store, clock, {.application = "test"});
  with_tenant("acme", [&] { static_cast<void>(client.enqueue(Pay{7})); });
  queue::AssignedJob job = daemon::assigned_job(claim_first(*store, clock), {});
  job.capture = queue::CaptureWish{queue::CaptureNumber{1}, queue::CaptureOn::failure};

  JobRegistry jobs;
  add_jobs(jobs);
  Performer performer(
      jobs, handles, clock,
      {.application = "test",
       .capture = {.folder = folder_ / "capsules", .limits = {}, .program_version = "replay 1"}});
  queue::RunNotes notes{job.claim};
  const queue::AttemptEnd end = performer.perform(job, {}, notes);
  if (!end.capsule || end.capsule->file.empty())
    throw std::runtime_error("no capsule: " + (end.capsule && end.capsule->failure
                                                   ? end.capsule->failure->text()
                                                   : "none was taken"));
  capsule_ = folder_ / "capsules" / end.capsule->file;
}

fs::path Replays::capsule_as(const std::string& name) {
  fs::create_directories(folder_ / "named");
  fs::copy_file(capsule_, folder_ / "named" / name);
  return folder_ / "named" / name;
}

std::vector<std::string> Replays::variables_for(const std::string& does) const {
  return {"PAY_DOES=" + does, "TMPDIR=" + scratch_.string(), "OUTSIDE=" + (folder_ / "outside").string(),
          "HANGS=" + (folder_ / "hangs").string(), "LIVE_CONFIG=" + (live_ / "tenure.toml").string(),
          "LIVE_TENANTS=" + (live_ / "tenants/%{tenant}.db").string(),
          "LIVE_SOCKET=" + (live_ / "service.sock").string(),
          // What an operator's shell may have set, and a program of its own read.
          "TENURE_CONFIG=" + (live_ / "tenure.toml").string(),
          "TENURE_STORE_PATH=" + (live_ / "control.db").string()};
}

std::string Replays::replay(const std::string& does, const std::vector<std::string>& more) {
  std::vector<std::string> words{"replay", "run", capsule_, "--program", REPLAY_WORKER};
  words.insert(words.end(), more.begin(), more.end());
  return tenure(words, variables_for(does));
}

std::string Replays::tenure(const std::vector<std::string>& words,
                            const std::vector<std::string>& variables) {
  std::vector<std::string> command{TENURE_PROGRAM};
  command.insert(command.end(), words.begin(), words.end());
  const auto path = folder_ / "output";
  fs::remove(path);  // it is appended to
  Process process(command, path, variables);
  const auto end = process.wait();
  output_ = process.output();
  return end.value_or("still running");
}

std::string content_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string Replays::asked_outside() {
  const std::string asked = content_of(folder_ / "outside");
  fs::remove(folder_ / "outside");
  return asked;
}

std::map<std::string, std::string> Replays::live_files() const {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(live_))
    if (entry.is_regular_file()) files[entry.path().string()] = content_of(entry.path());
  return files;
}

}  // namespace tenure::testing
