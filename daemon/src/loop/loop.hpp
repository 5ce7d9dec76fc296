#pragma once

#include "../control/controlled.hpp"
#include "../journal/keeper.hpp"
#include "../observing/activity.hpp"
#include "../receipts/horizons_in_force.hpp"
#include "../supervisor/worker_host.hpp"
#include "../supervisor/worker_link.hpp"
#include "observer.hpp"
#include "service_manager.hpp"
#include "settings_for_program.hpp"
#include "signals.hpp"
#include "store_thread.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/function_ref.hpp>
#include <tenure/base/process_bound.hpp>
#include <tenure/base/thread_bound.hpp>
#include <tenure/config/changes.hpp>
#include <tenure/config/settings.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/store.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/datagram_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace tenure::daemon {

// Carries the dispatcher's actions out and tells it what happened. It decides nothing.
// Threads: run() and all its members on the calling thread, and it asserts so; the store's thread only posts to it.
class Loop final : public control::Controlled {
 public:
  // Everything must outlive it but the settings. `host` is made by the caller on `context`; `read_settings` is for a reload; `before_round` is
  // StoreThread's, `former_died` the dispatcher's.
  Loop(
      boost::asio::io_context& context, config::Settings settings, queue::Store& store, const Clock& clock,
      WorkerHost& host, Signals& signals, ServiceManager& service, Observer& observer,
      ReadSettings read_settings, std::function<void()> before_round = [] {}, bool former_died = false);
  ~Loop() override;
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Until Leave. Returns the exit code.
  [[nodiscard]] int run();

  // The receipt horizons of jobs that are assigned from now on.
  void use(std::shared_ptr<const ReceiptHorizons> horizons) { horizons_.use(std::move(horizons)); }

  // `tell` is called with what is in force behind each reload.
  void tell_reloads(std::function<void(const config::Settings&)> tell) { tell_reload_ = std::move(tell); }

  // For operators; while run() is at work.
  [[nodiscard]] control::DaemonView view() const override;
  [[nodiscard]] Activity::View activity() const override { return activity_.view(clock_.steady()); }
  [[nodiscard]] std::vector<PoolTurn> turns(const queue::Lane& lane, std::int64_t ahead) const override {
    return dispatcher_.turns(lane, ahead, clock_.steady());
  }
  void ask(Event event) override;
  control::Reloaded reload() override;
  journal::Dump dump_journal() override { return journal_.dump(clock_.wall()); }
  [[nodiscard]] control::JournalView journal() const override {
    return {journal_.journal().size(), journal_.last_dump()};
  }
  // For whoever writes it where this process crashes.
  [[nodiscard]] const journal::Keeper& journal_keeper() const { return journal_; }

 private:
  void handle(Event event);
  void post(Event event);
  void answer(Event event);
  [[nodiscard]] Now now() const;

  void perform(RunRound&& action);
  void perform(StartProcess&& action);
  void perform(Assign&& action);
  void perform(Recall&& action);
  void perform(Drain&& action);
  void perform(GiveStopToken&& action);
  void perform(Ping&& action);
  void perform(Describe&& action);
  void perform(AcknowledgeOutbox&& action);
  void perform(EndProcess&& action);
  void perform(WakeAt&& action);
  void perform(Note&& action);
  static void perform(FormerClaimsTaken&& action);
  void perform(Serving&& action);
  void perform(Leave&& action);

  // Asks it of the process's end of the protocol, if it has one; written when all actions of the step are carried out.
  void ask(ProcessNumber process, FunctionRef<void(DaemonEnd&)> what);
  void obey_signals();
  void log_stopping(Signals::Stop how) const;
  // Before the dispatcher has heard of it.
  [[nodiscard]] std::vector<control::Replaced> replaced_by(const Reconfigured& event) const;
  [[nodiscard]] control::Reloaded take_over(const config::Changes& changes);
  [[nodiscard]] Event with_figures(Event event) const;
  void await_hint();
  void open_wake_socket();

  ThreadBound thread_{"Loop"};
  boost::asio::io_context& context_;
  config::Settings settings_;
  ReadSettings read_settings_;
  std::function<void(const config::Settings&)> tell_reload_ = [](const config::Settings&) {};
  queue::Store& store_;
  const Clock& clock_;
  WorkerHost& host_;
  Dispatcher dispatcher_;
  journal::Keeper journal_;
  Activity activity_;
  HorizonsInForce horizons_;
  boost::asio::steady_timer timer_;
  Signals& signals_;
  ServiceManager& service_;
  Observer& observer_;
  boost::asio::local::datagram_protocol::socket wake_socket_;
  std::optional<KeptFromChildren> wake_socket_kept_;
  std::array<char, 64> wake_bytes_{};
  std::map<ProcessNumber, std::shared_ptr<WorkerLink>> links_;
  std::vector<std::shared_ptr<WorkerLink>> asked_;  // and not flushed yet
  std::vector<std::string> waiting_;                // settings, for the next start
  std::optional<int> exit_code_;
  std::optional<Instant> round_since_;  // of the one under way
  std::unique_ptr<StoreThread> store_thread_;
};

}  // namespace tenure::daemon
