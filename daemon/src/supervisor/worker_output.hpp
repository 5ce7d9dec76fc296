#pragma once

#include "output_lines.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/base/system.hpp>
#include <tenure/queue/types.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace tenure::daemon {

// What one worker process prints, as lines of the log with its pool and number. It is always read on, so that a job that prints waits for
// nobody.
// Threads: those of its executor, one at a time. Kept alive by its own pending read; finish() ends it.
class WorkerOutput : public std::enable_shared_from_this<WorkerOutput> {
 public:
  // `pipe` is the end to read from.
  WorkerOutput(const boost::asio::any_io_executor& executor, Descriptor pipe, std::string pool,
               queue::ProcessNumber process);

  void start() { read(); }
  // The process is dead: what it has left is taken, and no more is waited for, since a child of it may hold the pipe open.
  void finish();

 private:
  void read();
  void await_second();
  void write(const std::vector<std::string>& lines) const;

  RealClock clock_;
  boost::asio::posix::stream_descriptor pipe_;
  std::string pool_;
  queue::ProcessNumber process_;
  OutputLines lines_;
  boost::asio::steady_timer second_;
  bool is_awaited_ = false;  // the end of the second
  std::array<char, 64UL * 1024> received_{};
};

}  // namespace tenure::daemon
