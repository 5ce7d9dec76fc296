#include <tenure/base/line_limit.hpp>

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdint>

namespace tenure {
namespace {

std::atomic<std::int64_t> beginnings{0};

}  // namespace

void LineLimit::begin_anew() noexcept { beginnings.fetch_add(1, std::memory_order_relaxed); }

std::optional<std::int64_t> LineLimit::pass(Instant now) {
  constexpr std::chrono::microseconds kPause = std::chrono::seconds{1};
  if (const std::int64_t newest = beginnings.load(std::memory_order_relaxed);
      beginning_.exchange(newest, std::memory_order_relaxed) != newest) {
    next_us_.store(0, std::memory_order_relaxed);
    left_out_.store(0, std::memory_order_relaxed);
  }
  std::int64_t next = next_us_.load(std::memory_order_relaxed);
  const std::int64_t now_us = now.since_start.count();
  if (now_us < next || !next_us_.compare_exchange_strong(next, now_us + kPause.count())) {
    left_out_.fetch_add(1, std::memory_order_relaxed);
    return std::nullopt;
  }
  return left_out_.exchange(0, std::memory_order_relaxed);
}

std::optional<std::int64_t> LineLimit::pass() {
  static const RealClock clock;
  return pass(clock.steady());
}

std::string left_out_text(std::int64_t left_out) {
  return left_out == 0 ? std::string{} : fmt::format(" (and {} more that are not shown)", left_out);
}

}  // namespace tenure
