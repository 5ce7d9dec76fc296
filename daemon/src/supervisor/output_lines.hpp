#pragma once

#include <tenure/base/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tenure::daemon {

// What a worker process prints, cut into lines for the log. Whatever it prints costs the log no more than kLinesPerSecond lines a second.
// A machine without I/O. Threads: one at a time.
class OutputLines {
 public:
  static constexpr std::size_t kLineMax = 4096;  // bytes; of a longer line the rest is left out
  static constexpr int kLinesPerSecond = 100;

  // The lines that have ended. Where lines were left out before, the first one says how many.
  [[nodiscard]] std::vector<std::string> received(std::string_view bytes, Instant now);
  // When the second is over in which lines were left out; nothing where none were.
  [[nodiscard]] std::optional<Instant> next_at() const;
  // By then: how many they were.
  [[nodiscard]] std::vector<std::string> second_passed(Instant now);
  // What is left when nothing more comes.
  [[nodiscard]] std::vector<std::string> ended();

 private:
  void line_ended(Instant now, std::vector<std::string>& lines);
  void say_left_out(std::vector<std::string>& lines);

  std::string line_;
  bool is_cut_ = false;
  Instant second_;
  int in_second_ = 0;
  std::int64_t left_out_ = 0;
};

}  // namespace tenure::daemon
