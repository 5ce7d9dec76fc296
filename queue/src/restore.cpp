#include <tenure/base/clock.hpp>
#include <tenure/queue/dispatcher_lock.hpp>
#include <tenure/queue/receipt_time.hpp>
#include <tenure/queue/restore.hpp>
#include <tenure/queue/retention.hpp>
#include <tenure/queue/sqlite_store.hpp>
#include <tenure/queue/store.hpp>

#include <fmt/format.h>

#include <string>
#include <utility>

namespace tenure::queue {
namespace {

std::string why_unknown(WallTime copied, WallTime now) {
  if (copied > now)
    return fmt::format("a copy of {}, which is to come by the clock of this machine", to_rfc3339(copied));
  return fmt::format(
      "a copy of {}, {} days ago, and receipts are certain to be there for 7 days less an hour",
      to_rfc3339(copied), std::chrono::floor<std::chrono::days>(now - copied).count());
}

// A job that needed an hour from its enqueue to its end may have gone with its receipts so much earlier (retention.hpp).
constexpr auto kSurelyKept = kReceiptsKeptFor - kNeededLong;
static_assert(kSurelyKept == std::chrono::days{7} - std::chrono::hours{1}, "the message says so");

}  // namespace

Result<void> check_age_of_copy(WallTime copied, AcceptRepeats accept, WallTime now) {
  const bool is_known = copied <= now + kCopyAheadMax && now - copied < kSurelyKept;
  if (is_known || accept == AcceptRepeats::yes) return {};
  return fail(
      ErrorCode::access_refused,
      fmt::format("the control database is {}. Jobs that have succeeded since the copy run again, and "
                  "steps of `once` whose receipts are gone may be done a second time; to accept that: "
                  "tenure store restore --accept-repeats",
                  why_unknown(copied, now)));
}

std::optional<RestoreRecord> accept_if_copied(Store& store, AcceptRepeats accept, const AuditEntry& entry,
                                              const Clock& clock) {
  std::optional<WallTime> copied;
  store.read([&](JobReader& reader) { copied = reader.copied(); });
  if (!copied) return std::nullopt;
  const WallTime now = clock.wall();
  value_or_raise(check_age_of_copy(*copied, accept, now));
  std::optional<RestoreRecord> restored;
  store.write(Durability::durable, [&](StoreWriter& writer) { restored = writer.accept_copy(entry, now); });
  return restored;
}

std::optional<RestoreRecord> accept_control_copy(const std::filesystem::path& path, AcceptRepeats accept,
                                                 const AuditEntry& entry, const Clock& clock) {
  const auto store = open_sqlite_store({.path = path}, clock);
  const auto lock = try_lock_dispatcher_file(path);
  if (!lock)
    raise(lock.error().code, lock.error().message + "; stop it first: systemctl stop tenured", {},
          lock.error().where);
  return accept_if_copied(*store, accept, entry, clock);
}

}  // namespace tenure::queue
