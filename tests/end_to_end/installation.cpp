#include "installation.hpp"

#include <tenure/queue/audit.hpp>
#include <tenure/queue/sqlite_store.hpp>

#include <fstream>

namespace tenure::testing {

void Installation::configure(const Config& config) {
  std::filesystem::create_directories(folder_ / "migrations");
  std::ofstream(folder_ / "migrations/0001_run.sql")
      << "create table run (number integer primary key, name text not null) strict;\n";
  std::ofstream(config_file()) << "[application]\nname = \"test\"\n[daemon]\nstop_deadline = \""
                               << config.stop_deadline << "\"\nping_max = \"" << config.ping_max
                               << "\"\nwhen_held = \"" << config.when_held << "\"\n[store]\npath = \""
                               << control().string() << "\"\n[tenants]\npath = \""
                               << (folder_ / "tenants").string() << "/%{tenant}.db\"\nmigrations = \""
                               << (folder_ / "migrations").string()
                               << "\"\n[[pool]]\nname = \"general\"\nprogram = \"" << config.program
                               << "\"\nprocesses = " << config.processes << "\nslots = " << config.slots
                               << "\nqueues = [" << config.queues << "]\ntime_limit = \"" << config.time_limit
                               << "\"\n"
                               << config.more;
  if (!store_) client().tenants().create(TenantName{"acme"});
}

queue::Store& Installation::store() {
  if (!store_) store_ = queue::open_sqlite_store({.path = control(), .create = true}, *clock_);
  return *store_;
}

Client& Installation::client() {
  if (!client_) {
    static_cast<void>(store());
    client_ = Client::open(config_file());
  }
  return *client_;
}

std::unique_ptr<Process> Installation::start_daemon(bool wait_for_start) {
  auto daemon = std::make_unique<Process>(std::vector<std::string>{TENURED, "--config", config_file()},
                                          folder_ / ("tenured-" + std::to_string(++daemons_) + ".log"));
  const auto started = [&] { return daemon->output().find("daemon.started") != std::string::npos; };
  EXPECT_TRUE(!wait_for_start || wait_until(started)) << daemon->output();
  return daemon;
}

// The jobs find the test's folder by the variable, as under tenured.
std::unique_ptr<Process> Installation::start_alone() {
  return std::make_unique<Process>(std::vector<std::string>{WORKER_PROGRAM, "--config", config_file()},
                                   folder_ / ("alone-" + std::to_string(++daemons_) + ".log"),
                                   std::vector<std::string>{"TENURE_CONFIG=" + config_file().string()});
}

std::string Installation::tenure(std::vector<std::string> words) {
  words.insert(words.begin(), TENURE_PROGRAM);
  words.insert(words.end(), {"--config", config_file().string()});
  const auto path = folder_ / "tenure-output";
  std::filesystem::remove(path);  // it is appended to
  Process process(words, path);
  const auto end = process.wait();
  output_ = process.output();
  return end.value_or("still running");
}

pid_t Installation::wait_for_start_of(const std::string& name) {
  const auto file = folder_ / ("started-" + name);
  EXPECT_TRUE(wait_until([&] { return std::filesystem::exists(file); })) << name << " does not start";
  pid_t pid = 0;
  std::ifstream(file) >> pid;
  std::filesystem::remove(file);
  return pid;
}

void Installation::let_go(const std::string& name) { std::ofstream(folder_ / ("go-" + name)) << "go\n"; }

std::string Installation::run_command(std::vector<std::string> words, std::string& output) {
  words.insert(words.begin(), TENURE_PROGRAM);
  words.insert(words.end(), {"--config", config_file().string()});
  const auto path = folder_ / "tenure-output";
  std::filesystem::remove(path);  // it is appended to
  Process process(words, path);
  const auto end = process.wait();
  output += process.output();
  return end.value_or("still running");
}

queue::JobRecord Installation::record(queue::JobId job) {
  std::optional<queue::JobRecord> record;
  store().read([&](queue::JobReader& reader) { record = reader.find_job(job); });
  if (!record) throw std::runtime_error("no such job");
  return *record;
}

std::vector<queue::AttemptRecord> Installation::attempts(queue::JobId job) {
  std::vector<queue::AttemptRecord> result;
  const queue::JobSeq seq = record(job).seq;
  store().read([&](queue::JobReader& reader) { result = reader.attempts(seq); });
  return result;
}

std::vector<std::string> Installation::refusals() {
  std::vector<std::string> found;
  store().read([&](queue::JobReader& reader) {
    reader.for_each_audit(std::nullopt, [&](const queue::AuditRecord& record) {
      const queue::AuditEntry& entry = record.entry;
      if (entry.verb == "job refused")
        found.push_back(entry.subject + ' ' + std::to_string(entry.count) + ' ' + entry.reason);
      return true;
    });
  });
  return found;
}

void Installation::expect_state(queue::JobId job, queue::ShownState state) {
  EXPECT_TRUE(wait_until([&] { return record(job).state == state; }))
      << "is " << name_of(record(job).state) << ", not " << name_of(state) << ": " << record(job).error;
}

int Installation::runs_of(const std::string& name) {
  return with_tenant("acme", [&] {
    auto lease = client().tenants().open_current(HandleAccess::read_only);
    return lease->read([&](TenantReader& reader) {
      auto rows = reader.query("select count(*) from run where name = ?", name);
      rows.next();
      return static_cast<int>(rows.row().integer(0));
    });
  });
}

}  // namespace tenure::testing
