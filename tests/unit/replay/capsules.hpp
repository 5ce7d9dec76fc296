#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/envelope.hpp>
#include <tenure/queue/memory_store.hpp>
#include <tenure/replay/capsule.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>
#include <tenure/tenancy/tenants.hpp>

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <support/temporary_folder.hpp>
#include <vector>

// A tenant, acme, of which capsules are written and read without any job being performed.
namespace tenure::testing {

// What the sqlite3 shell would say: the first column of each row, by a plain connection with no setting of ours.
inline std::vector<std::string> ask_plainly(const std::filesystem::path& file, const std::string& sql) {
  std::vector<std::string> rows;
  sqlite3* database = nullptr;
  if (sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
    throw std::runtime_error("cannot open " + file.string());
  const int code = sqlite3_exec(
      database, sql.c_str(),
      [](void* result, int, char** row, char**) {
        static_cast<std::vector<std::string>*>(result)->emplace_back(row[0] == nullptr ? "null" : row[0]);
        return 0;
      },
      &rows, nullptr);
  const std::string error = sqlite3_errmsg(database);
  sqlite3_close(database);
  if (code != SQLITE_OK) throw std::runtime_error(error);
  return rows;
}

class Capsules : public ::testing::Test {
 protected:
  Capsules() { tenants_.create(acme_); }

  // One statement in a transaction of its own.
  void write(const std::string& sql) {
    with_tenant(acme_, [&] {
      tenants_.open(acme_)->write([&](TenantTransaction& transaction) { transaction.execute(sql); });
    });
  }

  [[nodiscard]] replay::Capsule capsule(const std::string& arguments = R"({"invoice":7})") const {
    replay::Capsule made;
    queue::AssignedJob& job = made.head.job;
    job.claim = {queue::JobSeq{4}, {queue::Incarnation{2}, 9}};
    job.id = {*Uuid::parse("01890a5d-ac96-774b-bcce-b302099a8057")};
    job.tenant = acme_;
    job.generation = Generation{1};
    job.kind = "books.pay";
    job.envelope = queue::write_envelope({job.id, job.tenant, job.generation, job.kind, arguments});
    job.cursor = "page 3";
    job.attempt = 2;
    job.attempts_max = 10;
    job.time_limit = std::chrono::seconds{30};
    job.capture = queue::CaptureWish{queue::CaptureNumber{5}, queue::CaptureOn::any_end};
    made.head.application = "books";
    made.head.program_version = "7.1";
    made.head.started = from_us(1'700'000'000'000'000);
    made.run.seed = 0xFEDCBA9876543210U;
    made.run.readings = {from_us(1'700'000'000'000'001), from_us(1'700'000'000'000'002)};
    made.run.calls = {{"rate", "1.5"},
                      {"charge", "", Failure{ErrorCode::handler_failed, "declined", "", "x"}}};
    made.run.jobs = {{.id = job.id,
                      .kind = "books.note",
                      .queue = "slow",
                      .priority = -3,
                      .due = from_us(1'700'000'060'000'000),
                      .attempts_max = 4,
                      .arguments = "{}",
                      .keys = R"({"concurrency":{"key":"notes","running_max":2,"global":false}})",
                      .start_before = from_us(1'700'000'120'000'000)}};
    made.run.changes = {
        {"invoice", replay::RowChange::Kind::updated, R"({"id":1})", R"({"paid":0})", R"({"paid":1})"}};
    made.run.failure = queue::AttemptFailure{ErrorCode::handler_failed, "declined", {}};
    made.run.cursor = "page 4";
    made.run.tables_not_recorded = {"log"};
    return made;
  }

  // Of a snapshot that is taken before `meanwhile`.
  template <class Meanwhile>
  std::filesystem::path capture_around(Meanwhile&& meanwhile, const replay::Capsule& what) {
    return with_tenant(acme_, [&] {
      HandleLease lease = value_or_raise(handles_.acquire(acme_, Generation{1}, HandleAccess::read_only));
      const TenantSnapshot before = replay::take_snapshot(*lease);
      meanwhile();
      return replay::write_capsule(before, what, mask_, place_, limits_);
    });
  }
  std::filesystem::path capture(const replay::Capsule& what) {
    return capture_around([] {}, what);
  }
  std::filesystem::path capture() { return capture(capsule()); }

  [[nodiscard]] std::vector<std::string> files_in_place() const {
    std::vector<std::string> names;
    if (!std::filesystem::exists(place_)) return names;
    for (const auto& entry : std::filesystem::directory_iterator(place_))
      names.push_back(entry.path().filename());
    return names;
  }

  TemporaryFolder folder_;
  TenantName acme_{"acme"};
  VirtualClock clock_;
  std::unique_ptr<queue::Store> store_ = queue::make_memory_store();
  HandleCache handles_{TenantFiles{(folder_.path() / "tenants/%{tenant}.db").string()}, {}};
  Tenants tenants_{store_->registry(),
                   handles_,
                   clock_,
                   {.application = "books",
                    .migrations = {{1, "0001_invoice.sql",
                                    "create table invoice (id integer primary key, paid integer)"}}}};
  std::filesystem::path place_ = folder_ / "capsules";
  queue::Mask mask_{std::vector<std::string>{"iban"}};
  replay::CapsuleLimits limits_;
};

}  // namespace tenure::testing
