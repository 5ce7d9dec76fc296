#include "progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace tenure::cli {
namespace {

constexpr std::chrono::seconds kLineEvery{10};
constexpr std::chrono::milliseconds kBarEvery{100};
constexpr std::int64_t kBarWidth = 20;

}  // namespace

Progress::Progress(Session& session, NumberText number_text)
    : session_(session),
      number_text_(number_text),
      bar_(session.messages_can_be_redrawn()),
      begun_(steady()),
      next_(bar_ ? begun_ : begun_ + kLineEvery) {}

Progress::~Progress() { session_.end_redrawing(); }

void Progress::show(std::int64_t done, std::int64_t total) {
  const Instant now = steady();
  if (now < next_ || total <= 0) return;
  next_ = now + (bar_ ? kBarEvery : kLineEvery);
  if (bar_) session_.redraw(bar_text(done, total, now - begun_));
  else session_.note(fmt::format("{} / {}", done, total));
}

Instant Progress::steady() const { return session_.environment().clock.steady(); }

// "[##########..........]  640 / 1,284   49 %   410/s   about 2 s left"
std::string Progress::bar_text(std::int64_t done, std::int64_t total,
                               std::chrono::microseconds passed) const {
  const auto width = static_cast<std::size_t>(std::min(done, total) * kBarWidth / total);
  std::string text = fmt::format("[{}{}]  {} / {}   {} %", std::string(width, '#'),
                                 std::string(kBarWidth - width, '.'), number_text_(done, session_.style()),
                                 number_text_(total, session_.style()), done * 100 / total);
  if (done == 0 || passed < kBarEvery) return text;
  const double per_second = static_cast<double>(done) / std::chrono::duration<double>(passed).count();
  const std::chrono::duration<double> left{static_cast<double>(total - done) / per_second};
  return text + fmt::format("   {}/s   about {} left",
                            number_text_(std::llround(per_second), session_.style()),
                            duration_text(std::chrono::ceil<std::chrono::seconds>(left)));
}

}  // namespace tenure::cli
