#include "outbox_world.hpp"
#include "support/in_child.hpp"
#include "support/shim_vfs.hpp"
#include "unsynced_files.hpp"

#include <tenure/queue/copies.hpp>

#include <array>
#include <csignal>
#include <cstdio>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

// A control database was put back from a copy: kill -9 and power cuts before each write and sync of the commit that makes it the control
// database, and of the look at a tenant's file behind it.
namespace tenure::testing {
namespace {

constexpr int kRestoreKillsMax = 2000;  // far more than there are

class RestoreCrashes : public ::testing::Test {
 protected:
  using Image = UnsyncedFiles::Image;

  // Two jobs have come out of acme's database into a control database that is lost; beside the tenant lies a copy from before.
  Image with_lost_jobs() {
    make_copy();
    OutboxProcess{now_}.pay();
    return put_copy_back();
  }
  // The same, where they still lie in acme's database.
  Image with_rows_left() {
    make_copy();
    OutboxProcess{now_}.pay_without_relay();
    return put_copy_back();
  }
  static std::optional<queue::RestoreRecord> accept(OutboxProcess& process) {
    return queue::accept_if_copied(*process.store, queue::AcceptRepeats::no, {.verb = "store restored"},
                                   process.clock);
  }
  static void accept_and_sweep(OutboxProcess& process) {
    static_cast<void>(accept(process));
    process.sweep();
  }
  static std::int64_t lost(OutboxProcess& process) {
    std::int64_t count = 0;
    process.store->read([&](queue::JobReader& reader) { count = reader.lost_rows(kOwnerOfBooks).count; });
    return count;
  }
  static int records(OutboxProcess& process, std::string_view verb) {
    int count = 0;
    process.store->read([&](queue::JobReader& reader) {
      reader.for_each_audit({}, [&](const queue::AuditRecord& record) {
        count += record.entry.verb == verb ? 1 : 0;
        return true;
      });
    });
    return count;
  }
  // All of the commit is there, or nothing of it.
  static bool is_accepted(OutboxProcess& process) {
    std::optional<WallTime> copied;
    std::optional<queue::RestoreRecord> restored;
    process.store->read([&](queue::JobReader& reader) {
      copied = reader.copied();
      restored = reader.last_restore();
    });
    EXPECT_EQ(copied.has_value(), !restored.has_value());
    EXPECT_EQ(records(process, "store restored"), restored ? 1 : 0);
    EXPECT_TRUE(restored || process.marks().empty());
    return restored.has_value();
  }
  // Whoever comes next ends what was begun, and nothing of it is there twice.
  static void expect_ended(OutboxProcess& process, std::int64_t lost_rows) {
    accept_and_sweep(process);
    EXPECT_TRUE(is_accepted(process));
    EXPECT_EQ(lost(process), lost_rows);
    EXPECT_EQ(records(process, "outbox lost"), lost_rows > 0 ? 1 : 0);
    EXPECT_TRUE(process.marks().empty());
    EXPECT_TRUE(process.rows().rows.rows.empty());
    const std::size_t before = process.jobs().size();
    process.pay();
    EXPECT_EQ(process.jobs().size(), before + 2) << "the next ones come";
  }
  // True where `work` was killed at its point-th call; false where it has ended before.
  bool is_killed_at(int point, const std::function<void(OutboxProcess&)>& work) const {
    constexpr int kThrew = 1;
    const int end = in_child([&] {
      int calls = 0;
      bool is_armed = false;
      const ShimVfs shim([&](const ShimVfs::Event& event) {
        if (is_armed && event.call != ShimVfs::Call::read && event.call != ShimVfs::Call::unfetch &&
            ++calls == point)
          ::kill(::getpid(), SIGKILL);
        return 0;
      });
      try {
        OutboxProcess process{now_};
        is_armed = true;
        work(process);
        is_armed = false;
      } catch (const Error& error) {
        std::fprintf(stderr, "point %d: %s\n", point, error.what());
        return kThrew;
      }
      return 0;
    });
    EXPECT_NE(end, kThrew);
    return end != 0;
  }

  TemporaryFolder folder_;
  std::filesystem::path now_ = folder_ / "now";
  std::filesystem::path after_ = folder_ / "after";

 private:
  void make_copy() {
    std::filesystem::create_directory(now_);
    OutboxProcess process{now_};
    process.make_tenant();
    queue::copy_control_database(now_ / "control.db", folder_ / "copy.db", process.clock,
                                 [](const queue::CopyProgress&) {});
  }
  Image put_copy_back() {
    std::filesystem::copy_file(folder_ / "copy.db", now_ / "control.db",
                               std::filesystem::copy_options::overwrite_existing);
    return UnsyncedFiles{now_}.image({});
  }
};

TEST_F(RestoreCrashes, KilledAnywhereItIsACopyStillOrTheControlDatabaseAndWhatIsLostIsCountedOnce) {
  const Image made = with_lost_jobs();
  int as_copy = 0;
  int as_database = 0;
  int counted = 0;
  bool is_killed = true;
  for (int point = 1; is_killed; ++point) {
    ASSERT_LT(point, kRestoreKillsMax);
    SCOPED_TRACE(point);
    UnsyncedFiles::put(made, now_);
    is_killed = is_killed_at(point, accept_and_sweep);
    OutboxProcess next{now_};
    ++(is_accepted(next) ? as_database : as_copy);
    counted += lost(next) > 0 ? 1 : 0;
    expect_ended(next, 2);
    if (HasFailure()) return;
  }
  std::printf("kills: %d left a copy, %d a control database, %d of those with what was lost\n", as_copy,
              as_database, counted);
  EXPECT_GT(as_copy, 2);  // else the kills of this test do not hit
  EXPECT_GT(as_database - counted, 2);
  EXPECT_GT(counted, 2);
}

struct RestoreCut {
  UnsyncedFiles::Image image;
  bool is_accepted;
  friend bool operator<(const RestoreCut& a, const RestoreCut& b) {
    return std::tie(a.is_accepted, a.image) < std::tie(b.is_accepted, b.image);
  }
};

class RestorePowerCuts : public RestoreCrashes {
 protected:
  static constexpr std::array<UnsyncedFiles::Kept, 4> kKept{{{0, 0}, {1, 0}, {0, 1}, {0.5, 0.5}}};

  std::set<RestoreCut> cuts_of(const Image& made, const std::function<void(OutboxProcess&)>& prepare) {
    UnsyncedFiles::put(made, now_);
    UnsyncedFiles files{now_};
    std::set<RestoreCut> cuts;
    bool is_armed = false;
    bool has_accepted = false;
    const ShimVfs shim([&](const ShimVfs::Event& event) {
      if (event.call == ShimVfs::Call::read || event.call == ShimVfs::Call::unfetch) return 0;
      files.note(event);
      if (!is_armed) return 0;
      for (const UnsyncedFiles::Kept& kept : kKept) cuts.insert({files.image(kept), has_accepted});
      return 0;
    });
    OutboxProcess process{now_};
    process.begin_logs();
    prepare(process);
    is_armed = true;
    has_accepted = accept(process).has_value();
    EXPECT_TRUE(has_accepted);
    process.sweep();
    is_armed = false;
    return cuts;
  }
};

TEST_F(RestorePowerCuts, WhatWasAcceptedStaysAndWhatIsCountedAsLostIsInNeitherDatabase) {
  int counted = 0;
  int came_back = 0;
  const auto clear_visibly = [](OutboxProcess& process) {
    process.in_acme([](TenantHandle& handle) {
      TenantTransaction transaction = handle.begin();
      clear_outbox(transaction, 2);
      transaction.commit_ordered();
    });
  };
  for (const RestoreCut& cut : cuts_of(with_rows_left(), clear_visibly)) {
    UnsyncedFiles::put(cut.image, after_);
    OutboxProcess next{after_};
    EXPECT_TRUE(is_accepted(next) || !cut.is_accepted);
    const bool has_rows = !next.rows().rows.rows.empty();
    const std::int64_t lost_then = lost(next);
    EXPECT_FALSE(has_rows && lost_then > 0) << "they are there, and would be passed over";
    counted += lost_then > 0 ? 1 : 0;
    came_back += has_rows ? 1 : 0;
    expect_ended(next, has_rows ? 0 : 2);
    if (HasFailure()) return;
  }
  std::printf("power cuts: what was lost was counted behind %d, its rows came back behind %d\n", counted,
              came_back);
  EXPECT_GT(counted, 2);
  EXPECT_GT(came_back, 2);
}

}  // namespace
}  // namespace tenure::testing
