#include "jobs.hpp"
#include "support/shim_vfs.hpp"

#include <tenure/client.hpp>
#include <tenure/worker.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sys/stat.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

using namespace tenure::testing;

// Where the test looks: beside the configuration, which every worker is told, unless that cannot be written to.
std::filesystem::path folder() {
  if (const char* named = std::getenv("SIGNALS_FOLDER")) return named;
  const char* config = std::getenv("TENURE_CONFIG");
  if (config == nullptr) throw std::runtime_error("no TENURE_CONFIG");
  return std::filesystem::path{config}.parent_path();
}

void count(const std::string& name, tenure::JobContext& context) {
  context.once("count", [&](tenure::JobTransaction& transaction) {
    transaction.execute("insert into run (name) values (?)", name);
  });
}

void write_pid(const std::string& name) {
  const auto started = folder() / ("started-" + name);
  const auto written = started.string() + ".new";
  std::ofstream(written) << ::getpid() << '\n';
  std::filesystem::rename(written, started);
}

void wait(const Wait& job, tenure::JobContext& context) {
  write_pid(job.name);
  while (!std::filesystem::exists(folder() / ("go-" + job.name))) {
    if (job.obeys_stop && context.stop_token().stop_requested()) throw std::runtime_error("stopped");
    ::poll(nullptr, 0, 5);
  }
  count(job.name, context);
}

void resume(const Resume& job, tenure::JobContext& context) {
  if (!context.cursor().empty()) {
    std::ofstream(folder() / ("cursor-" + job.name)) << context.cursor();
    return;
  }
  for (bool is_first = true;; is_first = false) {
    context.checkpoint("40");
    // Behind the cursor: whoever sees the one may rely on the other.
    if (is_first) {
      context.progress(40, 100, "half done");
      write_pid(job.name);
    }
    ::poll(nullptr, 0, 5);
  }
}

void spin(const Spin& job, tenure::JobContext&) {
  write_pid(job.name);
  while (!std::filesystem::exists(folder() / ("go-" + job.name))) {
  }
}

void query_without_end(const EndlessQuery& job, tenure::JobContext& context) {
  write_pid(job.name);
  context.read([](tenure::TenantReader& reader) {
    auto rows =
        reader.query("with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n");
    static_cast<void>(rows.next());
  });
}

// Flushes nothing: worker_main sees to it that each line goes out when it is whole.
void print(const Print& job, tenure::JobContext&) {
  for (int line = 1; line <= job.lines; ++line) std::printf("%s %d\n", job.text.c_str(), line);
  std::fprintf(stderr, "%s at the end\n", job.text.c_str());
}

// Deeper than any stack, and not in a loop that a compiler makes of it.
int overflow(volatile char* above) {
  std::array<volatile char, 4096> frame{};
  if (*above != 0) return 0;
  frame[0] = *above;
  return overflow(frame.data()) + frame[1];
}

void wait_for(const std::string& name) {
  if (name.empty()) return;
  write_pid(name);
  while (!std::filesystem::exists(folder() / ("go-" + name))) ::poll(nullptr, 0, 5);
}

void quote(const Quote& job, tenure::JobContext& context) {
  context.progress(1, 2, "writing to " + job.recipient);
  wait_for(job.name);
  throw std::runtime_error("no mailbox " + job.recipient + " by " + job.api_token);
}

// Beyond what the process may have: as under a unit's or a container's limit of its address space.
void allocate_beyond_limit() {
  constexpr rlim_t kGibibyte = 1UL << 30U;
  rlimit before{};
  ::getrlimit(RLIMIT_AS, &before);
  const rlimit tight{kGibibyte, before.rlim_max};
  ::setrlimit(RLIMIT_AS, &tight);
  try {
    std::vector<char> memory(kGibibyte);
    std::printf("%d\n", memory.back());
  } catch (...) {
    ::setrlimit(RLIMIT_AS, &before);
    throw;
  }
}

void crash(const Crash& job, tenure::JobContext&) {
  wait_for(job.waits_as);
  if (job.how == "throw") throw 42;
  if (job.how == "allocate") allocate_beyond_limit();
  if (job.how == "terminate") std::thread([] { throw std::runtime_error("nobody catches this"); }).join();
  volatile char top = 0;
  if (job.how == "stack") std::exit(overflow(&top));
  if (job.how == "abort") std::abort();
  if (job.how == "exit") std::_Exit(0);
  if (job.how == "kill-daemon") {
    ::kill(::getppid(), SIGKILL);
    while (true) ::pause();  // ends with its parent
  }
  ::raise(SIGSEGV);
}

void fork_in(const Fork& job, tenure::JobContext& context) {
  if (job.how == "in_once") {
    context.once("count", [&](tenure::JobTransaction& transaction) {
      transaction.execute("insert into run (name) values (?)", job.name);
      static_cast<void>(::fork());
    });
    return;
  }
  if (job.how == "daemon" && ::daemon(1, 1) != 0) throw std::runtime_error("no daemon");
  if (job.how != "daemon" && ::fork() == 0 && (job.how == "lives_on" || job.how == "escapes")) {
    if (job.how == "escapes") ::setsid();
    write_pid("child-" + job.name);
    while (true) ::pause();
  }
  count(job.name, context);
}

void close_descriptors(const std::string& link) {
  std::vector<int> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone).string().find(link) != std::string::npos)
      found.push_back(std::stoi(entry.path().filename().string()));
  }
  for (const int number : found) ::close(number);
}

void meddle(const Meddle& job, tenure::JobContext&) {
  if (job.with == "working_folder") {
    std::filesystem::current_path("/");
  } else if (job.with == "umask") {
    ::umask(0);
  } else if (job.with == "children_environment") {
    const std::string command = "env > '" + (folder() / "environment").string() + "'";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("no environment");
  } else if (job.with == "socket") {
    ::close(3);
  } else {
    close_descriptors("[" + job.with + "]");
  }
}

void look_around(const LookAround&, tenure::JobContext&) {
  const mode_t mask = ::umask(0);
  ::umask(mask);
  std::ofstream(folder() / "surroundings") << mask << ' ' << std::filesystem::current_path().string();
}

// Each sync of a write-ahead log whose path holds NAME fails, as with EIO, while the test's folder has a file fail-sync-NAME.
int failing_sync(const ShimVfs::Event& event) {
  constexpr int kIoErrorOfSync = 10 | (4 << 8);  // SQLITE_IOERR_FSYNC
  if (event.call != ShimVfs::Call::sync || event.file != ShimVfs::File::wal) return 0;
  if (std::getenv("TENURE_CONFIG") == nullptr) return 0;
  for (const char* name : {"acme", "control"})
    if (event.path.find(name) != std::string_view::npos &&
        std::filesystem::exists(folder() / ("fail-sync-" + std::string{name})))
      return kIoErrorOfSync;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const ShimVfs disk{failing_sync};
  tenure::JobRegistry jobs;
  std::optional<tenure::Client> client;
  if (std::getenv("WITH_OPEN_CLIENT") != nullptr) client = tenure::Client::open();
  // Of the test that has its file.
  if (std::getenv("MIGRATES") != nullptr)
    jobs.add_migration("0002_length", [](tenure::TenantTransaction& transaction) {
      transaction.execute("update run set length = length(name)");
    });
  jobs.add<Wait>(wait);
  jobs.add<SpinTooLong>(
      [](const SpinTooLong& job, tenure::JobContext& context) { spin(Spin{job.name}, context); });
  jobs.add<Resume>(resume);
  jobs.add<Quote>(quote);
  jobs.add<Spin>(spin);
  jobs.add<Print>(print);
  jobs.add<EndlessQuery>(query_without_end);
  // Another version of the program, which has no handler for it.
  if (std::getenv("WITHOUT_COUNT") == nullptr)
    jobs.add<Count>([](const Count& job, tenure::JobContext& context) { count(job.name, context); });
  jobs.add<Turn>([](const Turn& job, tenure::JobContext& context) {
    if (!job.waits_as.empty()) wait({.name = job.waits_as}, context);
  });
  jobs.add<Spawn>([](const Spawn& job, tenure::JobContext& context) {
    context.once("spawn", [&](tenure::JobTransaction& transaction) { transaction.enqueue(Count{job.name}); });
  });
  jobs.add<Falter>([](const Falter& job, tenure::JobContext& context) {
    count(job.name, context);
    throw std::runtime_error("it falters");
  });
  jobs.add<Crash>(crash);
  jobs.add<Fork>(fork_in);
  jobs.add<Meddle>(meddle);
  jobs.add<LookAround>(look_around);
  jobs.add<Throw>([](const Throw&, tenure::JobContext&) { throw std::runtime_error("as asked"); });
  return tenure::worker_main(argc, argv, jobs, {.version = "test 1"});
}
