// The worker of borders_test.cpp. While a thread is in a tenant's scope, each file that SQLite opens, reads or writes on it is compared with
// that tenant: TOUCHED/PID-N says at the end of each thousand calls how many they were, and FOREIGN has a line for each that was another's.
#include "border_job.hpp"
#include "support/shim_vfs.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/statement.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/worker.hpp>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

namespace {

using tenure::reliability::Stay;
using tenure::testing::ShimVfs;

constexpr std::int64_t kToldEvery = 1000;
constexpr tenure::sqlite::Query kLook{"look", "select count(*) from kept"};

std::filesystem::path folder() {
  const char* const named = std::getenv("BORDER_FOLDER");
  return named == nullptr ? "." : named;
}

void tell(std::int64_t touched) {
  static const std::string name = (folder() / "touched" / std::to_string(::getpid())).string();
  std::ofstream(name + ".new") << touched << '\n';
  std::filesystem::rename(name + ".new", name);
}

// Tenants' files are named as they are: tenants/NAME.db, and what SQLite has beside it.
int look_at_file(const ShimVfs::Event& event) {
  static std::atomic<std::int64_t> touched = 0;
  const auto tenant = tenure::current_tenant();
  const std::size_t place = event.path.find("/tenants/");
  if (!tenant || place == std::string_view::npos) return 0;
  const std::string_view file = event.path.substr(place + std::string_view{"/tenants/"}.size());
  if (!file.starts_with(tenant->text() + ".db"))
    std::ofstream(folder() / "foreign", std::ios::app) << tenant->text() << ' ' << file << '\n';
  if (const std::int64_t now = ++touched; now % kToldEvery == 0) tell(now);
  return 0;
}

void stay(const Stay& job, tenure::JobContext& context) {
  if (!job.reads.empty()) {
    tenure::sqlite::Connection other(job.reads, {.access = tenure::sqlite::Access::read_only});
    static_cast<void>(other.statement(kLook).row().integer(0));
  }
  context.once("stay", [&](tenure::JobTransaction& transaction) {
    transaction.execute("insert into kept(number, said, found) values (?, ?, ?)", job.number, job.tenant,
                        context.tenant()->text());
  });
}

}  // namespace

int main(int argc, char** argv) {
  const ShimVfs disk{look_at_file};
  tenure::JobRegistry jobs;
  jobs.add<Stay>(stay);
  return tenure::worker_main(argc, argv, jobs, {.version = "border 1"});
}
