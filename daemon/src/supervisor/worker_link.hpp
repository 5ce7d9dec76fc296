#pragma once

#include "../protocol/daemon_end.hpp"

#include <tenure/base/process_bound.hpp>
#include <tenure/base/thread_bound.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tenure::daemon {

// One worker process's socket under the daemon's end of the protocol: it moves bytes and carries that machine's actions out.
// Threads: those of its executor, one at a time. Kept alive by its own pending operations; close() ends them.
class WorkerLink : public std::enable_shared_from_this<WorkerLink> {
 public:
  struct Handlers {
    std::function<void(Event)> on_event;
    // Its hello was accepted.
    std::function<void(const DaemonEnd::Greeted&)> on_greeted;
    // The stream is of no use any more: closed by the peer, or it carried what no worker may say. Once.
    std::function<void(std::string cause)> on_broken;
  };

  // Takes ownership of `descriptor`. `lock` goes beside the welcome, -1 for none; it must outlive the link.
  WorkerLink(const boost::asio::any_io_executor& executor, int descriptor, int lock, ProcessNumber process,
             std::uint16_t slots_wanted, std::chrono::microseconds time_limit, Handlers handlers);

  void start();
  // For what is asked of the process; flush() writes all of it in one piece.
  [[nodiscard]] DaemonEnd& end() { return end_; }
  [[nodiscard]] const DaemonEnd& end() const { return end_; }
  void flush();
  // For a process that is dead: `ended` is called when all that it had still sent has become events, at once where the
  // stream has ended already, and after kLastWait at the latest.
  void when_ended(std::function<void()> ended);
  void close();

 private:
  void read();
  void write(std::size_t written);
  void carry_out(DaemonEnd::Actions actions);
  void perform(DaemonEnd::Deliver&& action);
  void perform(DaemonEnd::Greeted&& action);
  void perform(DaemonEnd::Broken&& action);
  void perform(DaemonEnd::AwaitEnd&& action);
  void perform(DaemonEnd::Ended&& action);

  ThreadBound thread_{"WorkerLink"};
  boost::asio::local::stream_protocol::socket socket_;
  KeptFromChildren socket_kept_;
  int lock_to_share_;        // -1 once it is shared
  bool is_welcomed_ = true;  // not where the welcome could not be sent: then its hello was none
  const ProcessNumber process_;
  DaemonEnd end_;
  Handlers handlers_;
  std::array<char, 64UL * 1024> received_{};
  std::string in_flight_;
  bool is_writing_ = false;
  std::function<void()> on_ended_;
  boost::asio::steady_timer last_wait_;
};

}  // namespace tenure::daemon
