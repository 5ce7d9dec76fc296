#include "handle_state.hpp"

#include <tenure/base/sqlite/transaction.hpp>
#include <tenure/base/sqlite/wal.hpp>
#include <tenure/tenancy/stamp_change.hpp>

#include <fmt/format.h>

#include <filesystem>
#include <optional>

namespace tenure {
namespace {

void require_own(const sqlite::Connection& connection, const std::optional<Stamp>& stamp,
                 const StampExpectation& expected) {
  if (!stamp)
    raise(ErrorCode::wrong_tenant, "the file carries no stamp, so it cannot be told whose it is",
          expected.tenant.text(), connection.path().string());
  value_or_raise(check_identity(*stamp, expected));
  if (stamp->state == TenantState::active || stamp->state == TenantState::read_only) return;
  raise(ErrorCode::tenant_not_ready,
        fmt::format("the database of {} is {}", expected.tenant.text(), name_of(stamp->state)),
        expected.tenant.text());
}

}  // namespace

void set_stamp_read_only(const TenantFiles& files, const StampExpectation& expected, bool is_read_only,
                         std::chrono::milliseconds wait_max) {
  files.refuse_links(expected.tenant);
  detail::with_tenant_failures(expected.tenant, nullptr, [&] {
    sqlite::Connection connection{files.path_for(expected.tenant),
                                  {.secure_delete = true, .busy_wait_max = wait_max}};
    require_own(connection, read_stamp(connection), expected);
    sqlite::WriteTransaction transaction{connection};
    Stamp stamp = current_stamp(connection);
    require_own(connection, stamp, expected);
    stamp.state = is_read_only ? TenantState::read_only : TenantState::active;
    write_stamp(connection, stamp);
    transaction.commit();
    sqlite::sync_wal(connection);
  });
}

}  // namespace tenure
