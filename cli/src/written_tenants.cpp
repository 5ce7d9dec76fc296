#include "written_tenants.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace tenure::cli {
namespace {

// A commit goes to the log, and its pages into the file when the log is moved there.
constexpr std::array<std::string_view, 2> kWrittenTo{"", "-wal"};

bool asks_for_files(const queue::Filter& filter) {
  return std::ranges::any_of(
      filter.terms, [](const queue::FilterTerm& term) { return term.field == queue::FilterField::written; });
}

}  // namespace

std::optional<WallTime> last_written(const TenantFiles& files, const TenantName& tenant) {
  const std::string path = files.path_for(tenant).string();
  std::optional<WallTime> last;
  for (const std::string_view ending : kWrittenTo) {
    struct stat status {};
    if (::lstat((path + std::string{ending}).c_str(), &status) != 0) continue;
    const WallTime written = from_us(status.st_mtim.tv_sec * 1'000'000 + status.st_mtim.tv_nsec / 1000);
    last = last ? std::max(*last, written) : written;
  }
  return last;
}

TenantFilter::TenantFilter(Session& session)
    : session_(session), filter_(session.filter(queue::tenant_filter_fields())) {
  if (asks_for_files(filter_)) look_at_files();
}

void TenantFilter::look_at_files() {
  if (session_.is_offline())
    raise(ErrorCode::bad_options, "written looks at the tenants' databases, which lie beside no copy");
  files_.emplace(session_.settings().tenants.path);
}

bool TenantFilter::matches(queue::TenantSummary& tenant) const {
  if (files_) tenant.written = last_written(*files_, tenant.tenant.name);
  return queue::matches(filter_, tenant, session_.now());
}

}  // namespace tenure::cli
