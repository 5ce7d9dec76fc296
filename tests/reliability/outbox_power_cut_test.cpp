#include "outbox_world.hpp"
#include "support/shim_vfs.hpp"
#include "unsynced_files.hpp"

#include <array>
#include <cstdio>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>
#include <vector>

// Power cuts that drop what nobody has synced, in the tenant's file and the control database at once: before each write and sync of an
// application's transaction and of a sweep, where somebody else has committed and not synced yet, or is as slow as that.
namespace tenure::testing {
namespace {

struct Cut {
  UnsyncedFiles::Image image;
  bool is_acknowledged;
  int event;  // before which it was
  friend bool operator<(const Cut& a, const Cut& b) {
    return std::tie(a.is_acknowledged, a.image) < std::tie(b.is_acknowledged, b.image);
  }
};

enum class Acknowledged : std::uint8_t { before, by_first_sync_of_tenant, never };

class OutboxPowerCuts : public ::testing::Test {
 protected:
  using Work = std::function<void(OutboxProcess&)>;
  using AtSync = std::function<void(int)>;

  OutboxPowerCuts() {
    std::filesystem::create_directory(now_);
    OutboxProcess{now_}.make_tenant();
    made_ = UnsyncedFiles{now_}.image({});
  }

  // Cuts before each call of `work`, and behind it. `at_sync` is called within each sync of this thread, before it is made.
  void cut_everywhere(const Work& prepare, const Work& work, Acknowledged acknowledged,
                      const AtSync& at_sync = {}) {
    for (const Cut& each : cuts_of(prepare, work, acknowledged, at_sync)) {
      SCOPED_TRACE("event " + std::to_string(each.event));
      UnsyncedFiles::put(each.image, after_);
      ++(expect_together(after_, each.is_acknowledged) == Remains::all ? with_all_ : with_nothing_);
      if (HasFailure()) return;
    }
  }
  void print(const char* what) const {
    std::printf("%s: %d power cuts, both there %d times, neither %d times\n", what, with_all_ + with_nothing_,
                with_all_, with_nothing_);
  }

  int with_all_ = 0;
  int with_nothing_ = 0;
  int syncs_ = 0;  // of the last work
  TemporaryFolder folder_;
  std::filesystem::path now_ = folder_ / "now";

 private:
  static constexpr std::array<UnsyncedFiles::Kept, 4> kKept{{{0, 0}, {1, 0}, {0, 1}, {0.5, 0.5}}};

  std::set<Cut> cuts_of(const Work& prepare, const Work& work, Acknowledged acknowledged,
                        const AtSync& at_sync) {
    UnsyncedFiles::put(made_, now_);
    UnsyncedFiles files{now_};
    std::set<Cut> cuts;
    std::mutex mutex;
    bool is_armed = false;
    bool is_acknowledged = acknowledged == Acknowledged::before;
    int events = 0;
    const auto note = [&](const ShimVfs::Event& event) {
      const std::lock_guard lock(mutex);
      files.note(event);
      if (!is_armed) return;
      is_acknowledged |= acknowledged == Acknowledged::by_first_sync_of_tenant &&
                         event.call == ShimVfs::Call::sync && event.path.ends_with("acme.db-wal");
      ++events;
      for (const UnsyncedFiles::Kept& kept : kKept) cuts.insert({files.image(kept), is_acknowledged, events});
    };
    syncs_ = 0;
    const ShimVfs shim([&](const ShimVfs::Event& event) {
      if (event.call == ShimVfs::Call::read || event.call == ShimVfs::Call::unfetch) return 0;
      if (is_armed && at_sync && event.call == ShimVfs::Call::sync && std::this_thread::get_id() == first_)
        at_sync(++syncs_);
      note(event);
      return 0;
    });
    OutboxProcess process{now_};
    process.begin_logs();
    prepare(process);
    is_armed = true;
    work(process);
    is_armed = false;
    return cuts;
  }

  std::filesystem::path after_ = folder_ / "after";
  UnsyncedFiles::Image made_;
  std::thread::id first_ = std::this_thread::get_id();
};

void nothing(OutboxProcess&) {}
void pay_once(OutboxProcess& process) { process.pay(); }
void sweep_once(OutboxProcess& process) { process.sweep(); }

TEST_F(OutboxPowerCuts, OBX_06_WhatIsAcknowledgedIsThereAndRelayed) {
  cut_everywhere(nothing, pay_once, Acknowledged::by_first_sync_of_tenant);
  print("a transaction");
  EXPECT_GT(with_all_, 5);
  EXPECT_GT(with_nothing_, 5);
}

void mark_visibly(OutboxProcess& process) { process.mark({.epoch = 1}, Durability::ordered); }
void pay_visibly(OutboxProcess& process) {
  process.pay_without_relay(Durability::durable, Durability::ordered);
}
void take_over_visibly(OutboxProcess& process) {
  process.pay_without_relay();
  const queue::OutboxRows rows = process.rows().rows;
  process.store->write(Durability::ordered, [&](queue::StoreWriter& writer) {
    EXPECT_EQ(writer.relay_outbox(kOwnerOfBooks, rows, process.clock.wall()).inserted, 2);
  });
}
void take_over_and_clear_visibly(OutboxProcess& process) {
  process.pay_without_relay();
  process.relay();
}

// Somebody has committed it and not synced it yet, and has died there; then another one works.
TEST_F(OutboxPowerCuts, OBX_14_WhatIsVisibleIsNotTakenForDurable) {
  struct Visible {
    const char* what;
    Work prepare;
    Work work;
    Acknowledged acknowledged;
  };
  const std::vector<Visible> all{
      {"a mark", mark_visibly, pay_once, Acknowledged::by_first_sync_of_tenant},
      {"rows", pay_visibly, sweep_once, Acknowledged::never},
      {"jobs and watermark", take_over_visibly, sweep_once, Acknowledged::before},
      {"a deletion", take_over_and_clear_visibly, sweep_once, Acknowledged::before}};
  for (const Visible& each : all) {
    SCOPED_TRACE(each.what);
    with_all_ = with_nothing_ = 0;
    cut_everywhere(each.prepare, each.work, each.acknowledged);
    print(each.what);
    EXPECT_GT(with_all_, 5);
    if (HasFailure()) return;
  }
}

// While a sync lasts another relayer sees what it is about.
TEST_F(OutboxPowerCuts, OBX_14_ARelayerMayComeWithinEachSync) {
  const auto pay_and_sweep = [](OutboxProcess& process) {
    process.pay_without_relay();
    process.sweep();
  };
  for (const Work& work : {Work{pay_once}, Work{pay_and_sweep}}) {
    cut_everywhere(nothing, work, Acknowledged::by_first_sync_of_tenant, [](int) {});
    const int count = syncs_;
    EXPECT_GE(count, 4) << "syncs";
    for (int slow = 1; slow <= count && !HasFailure(); ++slow) {
      SCOPED_TRACE("sync " + std::to_string(slow));
      cut_everywhere(nothing, work, Acknowledged::by_first_sync_of_tenant, [&](int sync) {
        if (sync == slow) std::thread([&] { OutboxProcess{now_}.relay(); }).join();
      });
    }
  }
  print("with a relayer within each sync");
  EXPECT_GT(with_all_, 100);
  EXPECT_GT(with_nothing_, 20);
}

}  // namespace
}  // namespace tenure::testing
