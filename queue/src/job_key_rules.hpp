#pragma once

#include <tenure/queue/store.hpp>

#include <string>
#include <string_view>

// The keys of jobs as every store takes and keeps them. Internal.
namespace tenure::queue {

// BadOptions.
[[nodiscard]] Result<void> check_job_keys(const NewJob& job);

// As it is stored: whose it is, then its text.
[[nodiscard]] std::string stored_key(TenantNumber tenant, std::string_view key, bool is_global);
[[nodiscard]] bool is_global_key(std::string_view stored);
// What its job has stated.
[[nodiscard]] std::string_view stated_key(std::string_view stored);

[[nodiscard]] tl::unexpected<Failure> unique_key_taken(JobId id, std::string_view stored, JobId owner);

// Which one a line that is read in the order of tenants goes on with: those of a global key take turns.
[[nodiscard]] std::int64_t turn_begins_behind(std::string_view stored, TenantNumber left);

// So many jobs at most are put into lines by one claim.
inline constexpr std::size_t kLinedUpMax = 1000;
// So many jobs and tenants at most are passed over in a line since they may not be claimed: a tenant that is gated, a queue or a kind that
// is paused.
inline constexpr int kPassedOverMax = 1000;
// So many at most are looked at for the next one in another lane, and so many of one tenant on a key that is one for all.
inline constexpr int kElsewhereMax = 200;
inline constexpr int kElsewhereOfTenant = 20;

}  // namespace tenure::queue
