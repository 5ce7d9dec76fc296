#pragma once

#include "session.hpp"

#include <tenure/queue/filter.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <optional>

// When tenants' databases were written to last, as the file system says: for filters and lists that ask for it.
namespace tenure::cli {

// Of the file and its log, whichever is later; nothing where there is no file. Opens none.
[[nodiscard]] std::optional<WallTime> last_written(const TenantFiles& files, const TenantName& tenant);

// The words of a command as a filter of tenants. Files are looked at only where it asks for that.
class TenantFilter {
 public:
  // BadFilter; BadOptions where it asks for files beside a copy, where there are none.
  explicit TenantFilter(Session& session);
  // For whoever shows or sorts by it.
  void look_at_files();

  // Fills in what it has looked at.
  [[nodiscard]] bool matches(queue::TenantSummary& tenant) const;

 private:
  Session& session_;
  queue::Filter filter_;
  std::optional<TenantFiles> files_;
};

}  // namespace tenure::cli
