#include "worker_link.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace tenure::daemon {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds kLastWait{1};

Result<WelcomeFrame> negotiate(const HelloFrame& hello, std::uint16_t slots_wanted) {
  if (hello.protocol_min > kProtocolVersion || hello.protocol_max < kProtocolVersion)
    return fail(ErrorCode::protocol_violation, "the worker program speaks protocol " +
                                                   std::to_string(hello.protocol_min) + " to " +
                                                   std::to_string(hello.protocol_max) + ", this tenured " +
                                                   std::to_string(kProtocolVersion));
  return WelcomeFrame{.protocol = kProtocolVersion, .slots = slots_wanted};
}

WorkerLink::WorkerLink(const asio::any_io_executor& executor, int descriptor, ProcessNumber process,
                       std::uint16_t slots_wanted, Handlers handlers)
    : socket_(executor, asio::local::stream_protocol{}, descriptor),
      process_(process),
      slots_wanted_(slots_wanted),
      handlers_(std::move(handlers)),
      last_wait_(executor) {}

void WorkerLink::start() { read(); }

void WorkerLink::send(const Frame& frame) {
  if (broken_) return;
  draining_ = draining_ || std::holds_alternative<DrainFrame>(frame);
  write_frame(outgoing_, frame);
  if (in_flight_.empty()) write();
}

void WorkerLink::when_ended(std::function<void()> ended) {
  if (broken_) return ended();
  on_ended_ = std::move(ended);
  last_wait_.expires_after(kLastWait);
  last_wait_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->close();
  });
}

void WorkerLink::close() {
  broken_ = true;
  error_code ignored;
  socket_.close(ignored);
  tell_end();
}

void WorkerLink::tell_end() {
  last_wait_.cancel();
  if (on_ended_) std::exchange(on_ended_, nullptr)();
}

void WorkerLink::read() {
  socket_.async_read_some(asio::buffer(received_),
                          [self = shared_from_this()](error_code error, std::size_t size) {
                            if (error == asio::error::operation_aborted) return;
                            // A drained process closes its socket and then its databases; it ends by itself.
                            if (error && self->draining_ && self->reader_.pending() == 0)
                              return self->close();
                            if (error) return self->broken("closed its socket");
                            self->on_read(size);
                          });
}

void WorkerLink::on_read(std::size_t size) {
  reader_.feed({received_.data(), size});
  take_frames();
  if (!broken_) read();
}

// All ends of one read become one event, so that a busy worker costs the dispatcher one step and not hundreds.
void WorkerLink::take_frames() {
  AttemptsEnded ended{.process = process_, .ends = {}};
  while (!broken_) {
    auto frame = reader_.next();
    if (!frame) {
      broken(frame.error().message);
      break;
    }
    if (!*frame) break;
    take(**frame, ended);
  }
  if (!ended.ends.empty()) handlers_.on_event(std::move(ended));
}

void WorkerLink::take(const Frame& frame, AttemptsEnded& ended) {
  if (const auto* hello = std::get_if<HelloFrame>(&frame); hello != nullptr && !greeted_)
    return greet(*hello);
  if (greeted_ && std::holds_alternative<PongFrame>(frame)) return handlers_.on_event(Ponged{process_});
  const auto* finished = std::get_if<FinishedFrame>(&frame);
  if (finished == nullptr || !greeted_) return broken("sent a frame that no worker may send now");
  ended.ends.push_back(finished->end);
}

void WorkerLink::greet(const HelloFrame& hello) {
  const auto welcome = negotiate(hello, slots_wanted_);
  if (!welcome) {
    send(RefusedFrame{welcome.error().message});
    return broken(welcome.error().message);
  }
  greeted_ = true;
  send(*welcome);
  WorkerReady ready{.process = process_, .slots = slots_wanted_, .kinds = {}};
  for (const KindOffer& kind : hello.kinds) ready.kinds.push_back(kind.name);
  handlers_.on_event(std::move(ready));
}

void WorkerLink::write() {
  in_flight_.swap(outgoing_);
  asio::async_write(socket_, asio::buffer(in_flight_),
                    [self = shared_from_this()](error_code error, std::size_t) {
                      self->in_flight_.clear();
                      if (error == asio::error::operation_aborted) return;
                      if (error) return self->broken("does not read its socket");
                      if (!self->outgoing_.empty()) self->write();
                    });
}

void WorkerLink::broken(const std::string& cause) {
  if (std::exchange(broken_, true)) return;
  handlers_.on_broken(cause);
  tell_end();
}

}  // namespace tenure::daemon
