#include "capture_rules.hpp"
#include "job_rules.hpp"

#include <tenure/base/names.hpp>
#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tenure::queue {

std::string_view name_of(CaptureOn on) {
  switch (on) {
    case CaptureOn::failure:
      return "failure";
    case CaptureOn::success:
      return "success";
    case CaptureOn::any_end:
      return "any";
  }
  return "unknown";
}

std::optional<CaptureOn> capture_on_named(std::string_view name) {
  for (const CaptureOn on : {CaptureOn::failure, CaptureOn::success, CaptureOn::any_end})
    if (name == name_of(on)) return on;
  return std::nullopt;
}

bool is_capsule_file_name(std::string_view name) {
  const auto is_odd = [](char byte) {
    const auto code = static_cast<unsigned char>(byte);
    return byte == '/' || code < 0x20 || code == 0x7f;
  };
  return !name.empty() && name.size() <= kCapsuleFileMax && name.front() != '.' && is_utf8(name) &&
         std::ranges::none_of(name, is_odd);
}

Result<void> check_capture(const NewCapture& request, WallTime now) {
  const CaptureTarget& target = request.target;
  const bool is_of_many = !target.kind.empty() || target.tenant.has_value();
  if (target.job.has_value() == is_of_many)
    return fail(ErrorCode::bad_options,
                "a capture is of one job, or of a kind, of a tenant, or of a kind in a tenant");
  if (request.count < 1 || request.count > kCaptureCountMax)
    return fail(ErrorCode::bad_options, fmt::format("a capture is asked for 1 to {} capsules, not {}",
                                                    kCaptureCountMax, request.count));
  if (request.until <= now || request.until > now + kCaptureUntilMax)
    return fail(ErrorCode::bad_options,
                fmt::format("a capture is open for at most {} days, and its end must be to come",
                            kCaptureUntilMax.count() / 24));
  return {};
}

Result<void> check_captured_job(JobId id, JobState state, TenantNumber tenant) {
  if (state == JobState::succeeded)
    return fail(ErrorCode::state_changed,
                "job " + id.text() + " has succeeded: it has no next attempt that could be captured");
  if (tenant == kUntenanted)
    return fail(ErrorCode::bad_options,
                "job " + id.text() + " has no tenant, and a capsule is made of a tenant's database");
  return {};
}

tl::unexpected<Failure> unknown_capture_kind(std::string_view kind) {
  return fail(ErrorCode::unknown_kind,
              fmt::format("there is no kind {}: no job has had it, and no worker program has named it",
                          escaped(kind)));
}

tl::unexpected<Failure> too_many_captures() {
  return fail(ErrorCode::limit_reached,
              fmt::format("{} requests for capsules are open already, and there are no more", kCapturesMax));
}

Failure kept_failure(const Failure& failure) {
  Failure kept{failure.code, failure.message};
  if (!failure.where.empty()) kept.message += " (at " + failure.where + ")";
  kept.message = kept_error(kept.message);
  return kept;
}

}  // namespace tenure::queue
