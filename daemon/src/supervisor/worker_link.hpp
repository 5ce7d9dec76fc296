#pragma once

#include <tenure/daemon/dispatcher.hpp>
#include <tenure/daemon/frames.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tenure::daemon {

// The daemon's end of one worker process's socket: frames in become events, actions become frames out.
// Threads: those of its executor, one at a time. Kept alive by its own pending operations; close() ends them.
class WorkerLink : public std::enable_shared_from_this<WorkerLink> {
 public:
  struct Handlers {
    std::function<void(Event)> on_event;
    // The stream is of no use any more: closed by the peer, or it carried what no worker may say. Once.
    std::function<void(std::string cause)> on_broken;
  };

  // Takes ownership of `descriptor`.
  WorkerLink(const boost::asio::any_io_executor& executor, int descriptor, ProcessNumber process,
             std::uint16_t slots_wanted, Handlers handlers);

  void start();
  void send(const Frame& frame);
  // For a process that is dead: `ended` is called when all that it had still sent has become events, at once where the
  // stream has ended already, and after a second at the latest, since a child that it forked may hold its socket.
  void when_ended(std::function<void()> ended);
  void close();

 private:
  void read();
  void on_read(std::size_t size);
  void write();
  void take_frames();
  void take(const Frame& frame, AttemptsEnded& ended);
  void greet(const HelloFrame& hello);
  void broken(const std::string& cause);
  void tell_end();

  boost::asio::local::stream_protocol::socket socket_;
  ProcessNumber process_;
  std::uint16_t slots_wanted_;
  Handlers handlers_;
  FrameReader reader_;
  std::array<char, 64UL * 1024> received_{};
  std::string outgoing_;
  std::string in_flight_;
  bool greeted_ = false;
  bool draining_ = false;
  bool broken_ = false;
  std::function<void()> on_ended_;
  boost::asio::steady_timer last_wait_;
};

// What the daemon answers to a hello: the protocol version that both speak, or why there is none.
[[nodiscard]] Result<WelcomeFrame> negotiate(const HelloFrame& hello, std::uint16_t slots_wanted);

}  // namespace tenure::daemon
