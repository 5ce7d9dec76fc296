#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/outbox.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/tenancy/handle.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

// Brings the jobs of one tenant's outbox into the control database, for applications after their commit and for whoever sweeps. Anyone
// may at any time, also twice at once, and may be killed at any point: docs/formats/tenant-database.md has the steps and what holds
// after each.
namespace tenure::queue {

// The steps in their order, for tests that stop it at each of them.
enum class RelayStep : std::uint8_t {
  read = 1,         // rows of the file
  sync_file = 2,    // they may be visible and not yet on disk
  take_over = 3,    // jobs and watermark, durable, in one commit of the control database
  clear = 4,        // rows up to the watermark, ordered
  raise_epoch = 5,  // of a file that is empty, durable
  unmark = 6,       // the marks that were read before, ordered
  // Of a file that is empty, before its marks end: numbers that the control database does not know, durable.
  count_lost = 7,
};
[[nodiscard]] std::string_view name_of(RelayStep step);

// Called before each step; what it throws ends the relay there.
using OnRelayStep = std::function<void(RelayStep)>;

inline constexpr int kRelayPagesMax = 1000;

struct RelayOptions {
  // Of each page, when its jobs are durable: that is told also where a later page fails.
  std::function<void(const Relayed&)> on_taken_over = {};
  OnRelayStep on_step = {};
  int pages_max = kRelayPagesMax;  // of one call
};

// What became of one file's rows.
struct RelayedFile {
  OutboxSeq watermark{0};
  std::int64_t inserted = 0;
  std::int64_t existed = 0;
  std::int64_t lost = 0;        // numbers that are in neither database, found by this
  bool is_file_behind = false;  // it is an older copy: it has given fewer numbers than were taken over
  bool is_empty = false;        // when it was read last
  bool has_ended_marks = false;
  std::optional<RefusedOutboxRow> refused = std::nullopt;
  // The file could not be written: rows that were taken over may stay in it, those behind them wait, and so do its marks.
  std::optional<Failure> not_written = std::nullopt;
};

// Until the file has no more rows, or the next is refused, or the file is behind or cannot be written.
// Inside the scope of the handle's tenant. What the handle and the store throw: nothing is lost by it, and the next relay goes on.
[[nodiscard]] RelayedFile relay_file(Store& store, TenantHandle& handle, const Clock& clock,
                                     const RelayOptions& options = {});

// The same, and then the end of these marks of its owner, which were read from the store before; they stay where rows do.
[[nodiscard]] RelayedFile sweep_file(Store& store, TenantHandle& handle, std::span<const OutboxMark> marks,
                                     const Clock& clock, const RelayOptions& options = {});

[[nodiscard]] OutboxState outbox_state_of(const TenantTransaction& transaction);

// The first rows of the file; `is_all`: there are no more.
struct OutboxFront {
  OutboxRows rows;
  bool is_all = true;
};
[[nodiscard]] OutboxFront read_outbox_front(const TenantReader& reader);

}  // namespace tenure::queue
