#include "upkeep.hpp"

#include <tenure/base/log.hpp>
#include <tenure/daemon/control_lock.hpp>
#include <tenure/queue/wake_hint.hpp>
#include <tenure/tenancy/graveyard.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <boost/asio/post.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::chrono::seconds kStopMax{1};
// Beside what the daemon has open for its worker processes.
constexpr std::int64_t kSweepDescriptorsMax = 64;

OutboxSweepOptions sweep_options(const config::Settings& settings) {
  return {.application = settings.application.name,
          .descriptors_max = static_cast<int>(
              std::min<std::int64_t>(settings.tenants.descriptors_max, kSweepDescriptorsMax))};
}

[[noreturn]] void leave_without_them(int exit_code) {
  ControlLock::note_leaving();
  log::exit_at_once(exit_code);
}

}  // namespace

Upkeep::Upkeep(boost::asio::io_context& context, const config::Settings& settings, queue::Store& store,
               const Clock& clock, Loop& loop, Observer& observer)
    : sweep_(store, clock, TenantFiles{settings.tenants.path}, sweep_options(settings),
             [path = settings.store.path] { queue::send_wake_hint(path); }),
      horizons_(store, clock,
                [&context, &loop](std::shared_ptr<const ReceiptHorizons> read) {
                  boost::asio::post(context, [&loop, read = std::move(read)] { loop.use(read); });
                }),
      sweeping_(
          sweep_,
          [&context, &observer](const SweepFigures& figures) {
            boost::asio::post(context, [&observer, figures] { observer.swept(figures); });
          },
          horizons_),
      pruner_(store, clock, retention_of(settings),
              [&context, &observer](const queue::Pruned& jobs) {
                boost::asio::post(context, [&observer, jobs] { observer.pruned(jobs); });
              }),
      pruning_("retention", [this] { return pruner_.step(); }),
      eraser_(store, clock, Graveyard(TenantFiles{settings.tenants.path}, settings.application.name)),
      erasing_("erasing", [this] { return eraser_.step(); }) {
  loop.tell_reloads([this](const config::Settings& reloaded) {
    pruner_.use(retention_of(reloaded));
    pruning_.now();
  });
}

void Upkeep::stop(int exit_code) {
  if (!pruning_.stops_within(kStopMax)) {
    log::write(log::Level::error, "retention.blocked",
               "the control database does not answer, or another process writes to it; leaving without");
    leave_without_them(exit_code);
  }
  if (!erasing_.stops_within(kStopMax)) {
    log::write(log::Level::error, "erasing.blocked",
               "the control database or the graveyard does not answer; leaving without");
    leave_without_them(exit_code);
  }
  if (!sweeping_.stops_within(kStopMax)) {
    log::write(log::Level::error, "outbox.blocked", "a tenant's database does not answer; leaving without");
    leave_without_them(exit_code);
  }
}

}  // namespace tenure::daemon
