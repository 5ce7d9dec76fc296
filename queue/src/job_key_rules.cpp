#include "job_key_rules.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tenure::queue {
namespace {

constexpr std::string_view kGlobalFront = "*/";
constexpr std::int64_t kBeforeAllTenants = -1;

Result<void> check_key(std::string_view what, std::string_view key) {
  const auto refused = [&](std::string_view why) {
    return fail(ErrorCode::bad_options, fmt::format("{} \"{}\" {}", what, escaped(key), why), {},
                std::string{what});
  };
  if (key.empty()) return refused("is empty");
  if (key.size() > kJobKeyMax)
    return refused(fmt::format("has {} bytes; at most {} are allowed", key.size(), kJobKeyMax));
  const bool has_control = std::ranges::any_of(key, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
  if (has_control || !is_utf8(key)) return refused("is no UTF-8 text without control characters");
  return {};
}

}  // namespace

Result<void> check_job_keys(const NewJob& job) {
  if (job.concurrency) {
    if (auto key = check_key("concurrency.key", job.concurrency->key); !key) return key;
    const int running_max = job.concurrency->running_max;
    if (running_max < 1 || running_max > kRunningMax)
      return fail(
          ErrorCode::bad_options,
          fmt::format("concurrency.running_max \"{}\": 1 to {} are allowed", running_max, kRunningMax), {},
          "concurrency.running_max");
  }
  if (!job.unique) return {};
  if (auto key = check_key("unique.key", job.unique->key); !key) return key;
  if (job.unique->until != UniqueUntil::ended && job.unique->until != UniqueUntil::started)
    return fail(ErrorCode::bad_options, "unique.until is none of ended and started", {}, "unique.until");
  return {};
}

std::string stored_key(TenantNumber tenant, std::string_view key, bool is_global) {
  std::string stored = is_global ? std::string{kGlobalFront} : std::to_string(tenant.value) + '/';
  return stored += key;
}

bool is_global_key(std::string_view stored) { return stored.starts_with(kGlobalFront); }

std::string_view stated_key(std::string_view stored) {
  const std::size_t end = stored.find('/');
  return end == std::string_view::npos ? stored : stored.substr(end + 1);
}

tl::unexpected<Failure> unique_key_taken(JobId id, std::string_view stored, JobId owner) {
  return fail(ErrorCode::limit_reached,
              fmt::format("job {} cannot be retried: its unique key \"{}\" has job {} by now", id.text(),
                          escaped(stated_key(stored)), owner.text()),
              {}, owner.text());
}

std::int64_t turn_begins_behind(std::string_view stored, TenantNumber left) {
  return is_global_key(stored) ? left.value : kBeforeAllTenants;
}

}  // namespace tenure::queue
