#include "run_here.hpp"

#include <tenure/base/log.hpp>

#include <fmt/format.h>

#include <string>
#include <utility>

namespace tenure::detail {
namespace {

thread_local const std::optional<TenantName>* tenant_of_run = nullptr;

const TenantName* tenant_here() {
  return tenant_of_run != nullptr && *tenant_of_run ? &**tenant_of_run : nullptr;
}

void log_elsewhere(const TenantName& own, const std::string& what, std::string_view kind) {
  log::write(log::Level::info, "job.enqueued_elsewhere",
             fmt::format("the handler of a job of {} enqueues {}", own.text(), what), {.kind = kind});
}

}  // namespace

RunHere::RunHere(const std::optional<TenantName>& tenant) : before_(std::exchange(tenant_of_run, &tenant)) {}

RunHere::~RunHere() { tenant_of_run = before_; }

void log_if_for_another(const std::optional<TenantName>& tenant, std::string_view kind, std::size_t jobs) {
  const TenantName* const own = tenant_here();
  if (own == nullptr || !tenant || *tenant == *own || jobs == 0) return;
  log_elsewhere(*own, fmt::format("{} {} for tenant {}", jobs, jobs == 1 ? "job" : "jobs", tenant->text()),
                kind);
}

void log_if_for_all(std::string_view kind) {
  if (const TenantName* const own = tenant_here())
    log_elsewhere(*own, "a fan-out, with a job for each tenant", kind);
}

}  // namespace tenure::detail
