#pragma once

#include "program.hpp"

#include <tenure/queue/outbox.hpp>
#include <tenure/tenancy/handle_cache.hpp>
#include <tenure/tenancy/outbox.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

// Rows in the outboxes of tenants' databases below a test's folder, for programs of the tests of `tenure`.
namespace tenure::cli {

// A job of that tenant as an application leaves it on its way, due now; `seed` makes its id.
inline queue::NewJob job_on_its_way(std::string_view tenant, int seed, WallTime now,
                                    std::string_view arguments = "{}", std::int64_t generation = 1) {
  Uuid::Bytes bytes{};
  bytes[0] = 9;
  bytes[15] = static_cast<std::uint8_t>(seed);
  return {.id = queue::JobId{Uuid{bytes}},
          .tenant = TenantName{tenant},
          .generation = Generation{generation},
          .queue = "mailers",
          .kind = "mail.send",
          .priority = queue::Priority{0},
          .due = now,
          .attempts_max = 10,
          .arguments = std::string(arguments)};
}

// In the database of `tenant`, whatever tenant the job says.
inline void leave_row(const std::filesystem::path& folder, std::string_view tenant, const queue::NewJob& job,
                      const KeyRing& keys = {}) {
  HandleCache handles(TenantFiles((folder / "tenants/%{tenant}.db").string()), {.application = "billing"});
  const TenantScope scope{TenantName{tenant}};
  value_or_raise(handles.acquire(TenantName{tenant}, Generation{1}))
      ->write([&](TenantTransaction& transaction) {
        static_cast<void>(add_to_outbox(transaction, job.id.uuid, queue::write_outbox_row(job, keys)));
      });
}

// So many of its numbers are taken over, as far as the control database knows.
inline void take_over_up_to(queue::Store& store, std::string_view tenant, std::int64_t seq, WallTime now) {
  store.write(queue::Durability::durable, [&](queue::StoreWriter& writer) {
    const queue::OutboxOwner owner{TenantName{tenant}, Generation{1}};
    for (std::int64_t each = 1; each <= seq; ++each)
      static_cast<void>(
          writer.pass_over_outbox(owner, queue::OutboxSeq{seq}, {queue::OutboxSeq{each}, "none"}, now));
  });
}

}  // namespace tenure::cli
