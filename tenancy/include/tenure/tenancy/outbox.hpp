#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/uuid.hpp>
#include <tenure/tenancy/handle.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// The outbox of one tenant's file: texts that are on their way to the control database. What they say is the queue's
// (queue/outbox.hpp). Not for application code: the authorizer keeps it from the table.
// Threads: those of the handle.
namespace tenure {

struct OutboxEntry {
  std::int64_t seq = 0;  // grows in the order of commits; none is given twice
  std::string text;
};

struct OutboxAdded {
  std::int64_t seq = 0;
  std::optional<std::string> text_there =
      std::nullopt;  // the file had an entry for this id, and nothing was added
};
[[nodiscard]] OutboxAdded add_to_outbox(TenantTransaction& transaction, const Uuid& id,
                                        std::string_view text);

// Whether this transaction or snapshot sees an entry for the id.
[[nodiscard]] bool is_in_outbox(const TenantReader& reader, const Uuid& id);

// The first entries of the file as one snapshot has them.
struct OutboxPage {
  std::int64_t newest = 0;  // the greatest number that the file has given, also of entries that are gone
  std::vector<OutboxEntry> entries;
  bool is_all = true;
};
// At most `count_max` entries, of at most `bytes_max` together; the first of any size. Whoever acts in another file on what he read
// calls handle.sync() between.
[[nodiscard]] OutboxPage read_outbox(const TenantReader& reader, std::size_t count_max,
                                     std::size_t bytes_max);

// Of a file that is looked at without a handle.
[[nodiscard]] bool is_outbox_empty(sqlite::Connection& file);

// The greatest number that the file has given, as this transaction or snapshot sees it.
[[nodiscard]] std::int64_t newest_in_outbox(const TenantReader& reader);

// Removes the entries up to that number. To be committed ordered: they are passed over when they come back.
void clear_outbox(TenantTransaction& transaction, std::int64_t up_to);

// The next entry gets a number above this one, where it would not anyway. To be committed durably.
void skip_outbox_numbers(TenantTransaction& transaction, std::int64_t up_to);

// The epoch of the stamp goes up, so that whoever writes the next entry sets a new mark. False, and nothing was changed, where the
// outbox is not empty. To be committed durably.
[[nodiscard]] bool raise_outbox_epoch(TenantTransaction& transaction);

}  // namespace tenure
