#include <tenure/base/text.hpp>
#include <tenure/jobs/failures.hpp>
#include <tenure/queue/run_decision.hpp>

#include <boost/core/demangle.hpp>

namespace tenure {

Snooze::Snooze(WallTime until, const std::string& why) : std::runtime_error(why), until_(until) {}

std::chrono::microseconds Snooze::wait(WallTime now) const {
  const bool is_time = wait_.count() < 0 && until_ != WallTime{};
  return std::max(is_time ? until_ - now : wait_, std::chrono::microseconds{0});
}

namespace detail {

std::string name_of_error(const std::type_info& type) {
  return std::string{cut_utf8(boost::core::demangle(type.name()), queue::kRuleNameMax)};
}

}  // namespace detail
}  // namespace tenure
