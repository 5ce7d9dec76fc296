#include "output_lines.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::chrono::seconds kSecond{1};

}  // namespace

std::vector<std::string> OutputLines::received(std::string_view bytes, Instant now) {
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    const std::size_t room = kLineMax - line_.size();
    line_ += part.substr(0, room);
    is_cut_ |= part.size() > room;
    if (end == std::string_view::npos) break;
    line_ended(now, lines);
    bytes.remove_prefix(end + 1);
  }
  return lines;
}

std::optional<Instant> OutputLines::next_at() const {
  if (left_out_ == 0) return std::nullopt;
  return second_ + kSecond;
}

std::vector<std::string> OutputLines::second_passed(Instant now) {
  std::vector<std::string> lines;
  if (now - second_ >= kSecond) say_left_out(lines);
  return lines;
}

std::vector<std::string> OutputLines::ended() {
  std::vector<std::string> lines;
  say_left_out(lines);
  if (!line_.empty()) lines.push_back(std::exchange(line_, {}));
  return lines;
}

void OutputLines::line_ended(Instant now, std::vector<std::string>& lines) {
  if (now - second_ >= kSecond) {
    second_ = now;
    in_second_ = 0;
  }
  std::string line = std::exchange(line_, {});
  if (std::exchange(is_cut_, false)) line += "...";
  if (line.empty()) return;
  if (in_second_ == kLinesPerSecond) {
    ++left_out_;
    return;
  }
  say_left_out(lines);
  ++in_second_;
  lines.push_back(std::move(line));
}

void OutputLines::say_left_out(std::vector<std::string>& lines) {
  if (left_out_ == 0) return;
  lines.push_back(fmt::format("({} lines were left out: more than {} in a second)",
                              std::exchange(left_out_, 0), kLinesPerSecond));
}

}  // namespace tenure::daemon
