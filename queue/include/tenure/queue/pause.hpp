#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/base/error.hpp>
#include <tenure/queue/types.hpp>
#include <tenure/tenancy/tenant_name.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Queues, kinds and tenants that an operator has paused: nothing of them starts, enqueues go on, and what runs goes on to its end. A
// pause is a row of the control database; it ends at its time or by an operator. Those of queues and kinds the dispatcher reads; that
// of a tenant is its state in the registry besides, by which claims are refused, so that there may be any number of them.
namespace tenure::queue {

inline constexpr std::size_t kPausesMax = 1000;  // at once, of queues and kinds
// Of tenants, that end in one commit at their time.
inline constexpr std::size_t kTenantPausesEnded = 1000;

enum class PauseScope : std::uint8_t {
  queue = 1,
  kind = 2,
  tenant = 3,
};
// "queue", "kind", "tenant".
[[nodiscard]] std::string_view name_of(PauseScope scope);

struct NewPause {
  PauseScope scope = PauseScope::queue;
  std::string name;
  std::optional<WallTime> until = std::nullopt;  // nothing: until somebody ends it
  std::int64_t uid = 0;
  std::string login = {};
  std::string reason = {};
};

// What operators see of it.
struct PauseRecord {
  PauseScope scope = PauseScope::queue;
  std::string name;
  WallTime paused{};
  std::optional<WallTime> until = std::nullopt;
  std::int64_t uid = 0;
  std::string login;
  std::string reason;
  friend bool operator==(const PauseRecord&, const PauseRecord&) = default;
};

// What a dispatcher needs of it.
struct OpenPause {
  PauseScope scope = PauseScope::queue;
  std::string name;
  std::optional<WallTime> until = std::nullopt;
  friend bool operator==(const OpenPause&, const OpenPause&) = default;
};
// Grows by every change of a pause, whoever makes it; before the first one 0.
using PausesMark = Strong<struct PausesMarkTag, std::int64_t>;
struct OpenPauses {
  PausesMark mark;
  std::vector<OpenPause> pauses;                         // by scope and name; not of tenants
  std::optional<WallTime> tenants_until = std::nullopt;  // when the first pause of a tenant ends by itself
  friend bool operator==(const OpenPauses&, const OpenPauses&) = default;
};

// A part of JobReader.
class PauseReader {
 public:
  virtual ~PauseReader() = default;
  // Of queues and kinds, by scope and name. One whose time is over stands until a dispatcher has removed it.
  [[nodiscard]] virtual std::vector<PauseRecord> pauses() = 0;
  // Of the newest generation of that name. Also while the tenant has failed, and will be paused again once it is mended.
  [[nodiscard]] virtual std::optional<PauseRecord> tenant_pause(const TenantName& name) = 0;
};

// A part of StoreWriter.
class PauseWriter {
 public:
  virtual ~PauseWriter() = default;

  // In place of one that is there: false then. BadOptions (a time that has passed), RecordNotFound (a queue that no job has had and no pool
  // lists), UnknownKind (no job has had it and no worker program named it), LimitReached; TenantDoesNotExist, TenantDeleted, TenantNotReady
  // (it is neither active nor read-only nor paused). Commit it durably.
  [[nodiscard]] virtual Result<bool> pause(const NewPause& pause, WallTime now) = 0;
  // False where it is not paused. A tenant becomes what it was before; one that has failed since stays so, and is that once it is mended.
  [[nodiscard]] virtual bool resume(PauseScope scope, std::string_view name) = 0;
  // All, where any has changed since that mark; one seek where none has.
  [[nodiscard]] virtual std::optional<OpenPauses> open_pauses(PausesMark known) = 0;
  // Of tenants at most kTenantPausesEnded.
  virtual void remove_expired_pauses(WallTime now) = 0;
};

}  // namespace tenure::queue
