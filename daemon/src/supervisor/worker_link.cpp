#include "worker_link.hpp"

#include <tenure/base/passed_descriptor.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace tenure::daemon {

namespace asio = boost::asio;
using boost::system::error_code;

WorkerLink::WorkerLink(const asio::any_io_executor& executor, int descriptor, int lock, ProcessNumber process,
                       std::uint16_t slots_wanted, std::chrono::microseconds time_limit, Handlers handlers)
    : socket_(executor, asio::local::stream_protocol{}, descriptor),
      socket_kept_(descriptor),
      lock_to_share_(lock),
      process_(process),
      end_(process, slots_wanted, time_limit),
      handlers_(std::move(handlers)),
      last_wait_(executor) {}

void WorkerLink::start() { read(); }

void WorkerLink::when_ended(std::function<void()> ended) {
  on_ended_ = std::move(ended);
  carry_out(end_.process_ended());
}

void WorkerLink::close() {
  thread_.check();
  error_code ignored;
  socket_.close(ignored);
  last_wait_.cancel();
}

void WorkerLink::read() {
  socket_.async_read_some(asio::buffer(received_),
                          [self = shared_from_this()](error_code error, std::size_t size) {
                            if (error == asio::error::operation_aborted) return;
                            if (error) return self->carry_out(self->end_.stream_ended("closed its socket"));
                            self->carry_out(self->end_.received({self->received_.data(), size}));
                            if (self->socket_.is_open()) self->read();
                          });
}

// Asio tries the write at once, so an idle worker is woken before this returns.
void WorkerLink::flush() {
  thread_.check();
  if (is_writing_ || !end_.take_outgoing(in_flight_)) return;
  is_writing_ = true;
  // Nothing is written before a hello, and the first that is written behind one is the welcome. A process that has not said hello,
  // or never will, must not keep the lock when we are gone.
  if (lock_to_share_ < 0 || !end_.is_greeted()) return write(0);
  const SentBytes sent =
      send_with_descriptor(socket_.native_handle(), in_flight_, std::exchange(lock_to_share_, -1));
  if (sent.error == 0) return write(sent.size);
  is_writing_ = false;
  is_welcomed_ = false;
  carry_out(end_.stream_ended("does not take the lock: " + system_text(sent.error)));
}

void WorkerLink::write(std::size_t written) {
  asio::async_write(socket_, asio::buffer(in_flight_) + written,
                    [self = shared_from_this()](error_code error, std::size_t) {
                      self->is_writing_ = false;
                      if (error == asio::error::operation_aborted) return;
                      if (error) return self->carry_out(self->end_.stream_ended("does not read its socket"));
                      self->flush();
                    });
}

// Bytes first: a refusal is read before the process is ended.
void WorkerLink::carry_out(DaemonEnd::Actions actions) {
  flush();
  for (DaemonEnd::Action& action : actions)
    std::visit([this](auto& what) { perform(std::move(what)); }, action);
  if (!end_.is_open()) close();
}

void WorkerLink::perform(DaemonEnd::Deliver&& action) {
  if (is_welcomed_) handlers_.on_event(std::move(action.event));
}

void WorkerLink::perform(DaemonEnd::Greeted&& action) {
  if (is_welcomed_) handlers_.on_greeted(action);
}

void WorkerLink::perform(DaemonEnd::Broken&& action) { handlers_.on_broken(std::move(action.cause)); }

void WorkerLink::perform(DaemonEnd::AwaitEnd&&) {
  last_wait_.expires_after(kLastWait);
  last_wait_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->carry_out(self->end_.waited_enough());
  });
}

void WorkerLink::perform(DaemonEnd::Ended&&) { std::exchange(on_ended_, nullptr)(); }

}  // namespace tenure::daemon
