#include "handle_state.hpp"

#include <tenure/base/function_ref.hpp>
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

void with_own_file(const TenantFiles& files, const StampExpectation& expected,
                   std::chrono::milliseconds wait_max, FunctionRef<void(sqlite::Connection&)> work) {
  files.refuse_links(expected.tenant);
  detail::with_tenant_failures(expected.tenant, nullptr, [&] {
    sqlite::Connection connection{files.path_for(expected.tenant),
                                  {.secure_delete = true, .busy_wait_max = wait_max}};
    require_own(connection, read_stamp(connection), expected);
    work(connection);
  });
}

}  // namespace

void require_stamp_settable(const TenantFiles& files, const StampExpectation& expected,
                            std::chrono::milliseconds wait_max) {
  with_own_file(files, expected, wait_max, [](sqlite::Connection&) {});
}

void set_stamp_read_only(const TenantFiles& files, const StampExpectation& expected, bool is_read_only,
                         std::chrono::milliseconds wait_max) {
  with_own_file(files, expected, wait_max, [&](sqlite::Connection& connection) {
    sqlite::WriteTransaction transaction{connection};
    if (!connection.still_on_disk())
      raise(ErrorCode::database_moved, "the tenant's file was moved before its stamp was changed",
            expected.tenant.text(), connection.path().string());
    Stamp stamp = current_stamp(connection);
    require_own(connection, stamp, expected);
    stamp.state = is_read_only ? TenantState::read_only : TenantState::active;
    write_stamp(connection, stamp);
    transaction.commit();
    sqlite::sync_wal(connection);
  });
}

}  // namespace tenure
