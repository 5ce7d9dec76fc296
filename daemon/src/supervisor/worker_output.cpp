#include "worker_output.hpp"

#include <tenure/base/log.hpp>

#include <boost/asio/buffer.hpp>

#include <utility>

namespace tenure::daemon {

namespace asio = boost::asio;
using boost::system::error_code;

WorkerOutput::WorkerOutput(const asio::any_io_executor& executor, Descriptor pipe, std::string pool,
                           queue::ProcessNumber process)
    : pipe_(executor, pipe.release()), pool_(std::move(pool)), process_(process), second_(executor) {}

void WorkerOutput::read() {
  pipe_.async_read_some(
      asio::buffer(received_), [self = shared_from_this()](error_code error, std::size_t size) {
        if (error) return;  // finish() takes the rest
        self->write(self->lines_.received({self->received_.data(), size}, self->clock_.steady()));
        self->await_second();
        if (self->pipe_.is_open()) self->read();
      });
}

// What was left out is said when the second is over, whether or not anything more comes.
void WorkerOutput::await_second() {
  const auto at = lines_.next_at();
  if (!at || is_awaited_) return;
  is_awaited_ = true;
  second_.expires_after(*at - clock_.steady());
  second_.async_wait([self = shared_from_this()](error_code error) {
    self->is_awaited_ = false;
    if (error) return;
    self->write(self->lines_.second_passed(self->clock_.steady()));
    self->await_second();
  });
}

void WorkerOutput::finish() {
  constexpr int kReadsMax = 64;  // a child that prints on and on is nobody's concern
  error_code error;
  pipe_.non_blocking(true, error);
  for (int reads = 0; reads < kReadsMax && !error; ++reads) {
    const std::size_t size = pipe_.read_some(asio::buffer(received_), error);
    if (size > 0) write(lines_.received({received_.data(), size}, clock_.steady()));
  }
  second_.cancel();
  write(lines_.ended());
  pipe_.close(error);
}

void WorkerOutput::write(const std::vector<std::string>& lines) const {
  for (const std::string& line : lines)
    log::write(log::Level::info, "worker.output", line, {.pool = pool_, .process = process_.value});
}

}  // namespace tenure::daemon
