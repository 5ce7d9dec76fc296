#include "told_outboxes.hpp"

#include <utility>

namespace tenure::daemon {

void ToldOutboxes::told(ProcessNumber process, const AttemptEnd& end) {
  if (end.outbox && !end.outbox->rows.rows.empty()) untold_.push_back({process, *end.outbox});
}

OutboxRowsPart::Ask ToldOutboxes::take() { return std::exchange(untold_, {}); }

void ToldOutboxes::not_stored(const OutboxRowsPart::Ask& ask) {
  untold_.insert(untold_.begin(), ask.begin(), ask.end());
}

}  // namespace tenure::daemon
