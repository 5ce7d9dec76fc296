#pragma once

#include "sweep_figures.hpp"
#include "sweep_plan.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/line_limit.hpp>
#include <tenure/base/log.hpp>
#include <tenure/queue/outbox_file.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tenure::daemon {

struct OutboxSweepOptions {
  std::string application;   // the stamps must name it; empty: not compared
  int descriptors_max = 64;  // for tenants' files; see HandleCacheOptions
};

// Brings what waits in tenants' outboxes into the control database, whether or not a worker process is up: it carries out what
// SweepPlan wants. No other file than those with marks is opened, and where there are no marks it asks the store one cheap question.
// Threads: one at a time; give_up() from any.
class OutboxSweep {
 public:
  // Of one pass(), so that what is told and read between two stays fresh.
  static constexpr int kFilesPerPass = 64;
  // Of one file at once: so many rows hold up the others no longer than this takes.
  static constexpr int kPagesPerLook = 10;
  // How soon a mark is seen.
  static constexpr std::chrono::seconds kPeriod{1};
  static constexpr std::size_t kMarksPerPage = 1000;
  // Of the figures that take a look at what is known of every file.
  static constexpr std::chrono::seconds kStockEvery{5};

  // Store and clock outlive it. `on_ready` is called when jobs have come that are due.
  OutboxSweep(queue::Store& store, const Clock& clock, TenantFiles files, OutboxSweepOptions options,
              std::function<void()> on_ready);

  // Looks at what is due. Returns how long nothing will be, as far as is known.
  [[nodiscard]] std::chrono::microseconds pass();
  // The pass under way ends behind the file that it is at.
  void give_up() { is_given_up_ = true; }

  [[nodiscard]] const SweepFigures& figures() const { return figures_; }
  [[nodiscard]] HandleCache::Counters opened_for_test() const { return handles_->counters(); }

 private:
  // What is in the way of a file's rows, for the log.
  struct Trouble {
    log::Level level = log::Level::warning;
    std::string_view event;
    std::string message, error;
  };
  struct Looked {
    SweepOutcome outcome;
    std::optional<Trouble> trouble;
  };

  void read_marks();
  // False where the control database is in trouble: nobody else's rows could be brought either.
  [[nodiscard]] bool look_at(const SweepLook& look);
  [[nodiscard]] Looked relay(const SweepLook& look);
  [[nodiscard]] Looked relay_leased(const SweepLook& look, TenantHandle& handle, queue::RelayStep& at);
  [[nodiscard]] static Looked looked_at(const queue::RelayedFile& relayed);
  void note(const queue::Relayed& page);
  void note_missing(std::int64_t rows);
  [[nodiscard]] bool tell(const Trouble& trouble);
  // Whether the marks are of a generation that is gone; then they go, too.
  [[nodiscard]] bool has_dropped_outlived(const SweepLook& look);
  void leave_unsynced(const queue::OutboxOwner& owner);
  [[nodiscard]] std::unique_ptr<HandleCache> make_cache() const;
  void take_stock();

  queue::Store& store_;
  const Clock& clock_;
  const TenantFiles files_;
  const OutboxSweepOptions options_;
  const std::function<void()> on_ready_;
  SweepPlan plan_;
  SweepFigures figures_;
  std::unique_ptr<HandleCache> handles_;
  std::optional<std::int64_t> change_counter_;  // when the marks were read to their end
  SweepPlan::Mark when_ = SweepPlan::Mark::at_start;
  Instant stock_at_;
  LineLimit unread_lines_, trouble_lines_, missing_lines_, outlived_lines_;
  std::atomic<bool> is_given_up_ = false;
};

}  // namespace tenure::daemon
