#pragma once

#include <tenure/queue/outbox.hpp>
#include <tenure/queue/store.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

// What tests of outboxes put into them, and what a store has of them.
namespace tenure::testing {

// The job with this number, which becomes its id.
inline queue::NewJob numbered_job(const queue::OutboxOwner& owner, std::uint32_t number, WallTime due,
                                  std::string arguments = "{}") {
  Uuid::Bytes bytes{};
  for (std::size_t from_end = 0; from_end < sizeof number; ++from_end)
    bytes[bytes.size() - 1 - from_end] = static_cast<std::uint8_t>(number >> (8 * from_end));
  return {.id = queue::JobId{Uuid{bytes}},
          .tenant = owner.tenant,
          .generation = owner.generation,
          .queue = "default",
          .kind = "shop.child",
          .priority = queue::Priority{0},
          .due = due,
          .attempts_max = 3,
          .arguments = std::move(arguments)};
}

inline std::vector<queue::OutboxMark> marks_in(queue::Store& store) {
  std::vector<queue::OutboxMark> marks;
  store.read([&](queue::JobReader& reader) { marks = reader.outbox_marks({}, 100); });
  return marks;
}

// In the order in which they came.
inline std::vector<queue::JobRecord> jobs_in(queue::Store& store) {
  std::vector<queue::JobRecord> jobs;
  store.read([&](queue::JobReader& reader) {
    jobs = reader.list_jobs({}, {.limit = 100'000, .order = queue::ListOrder::oldest_first}, {}).jobs;
  });
  return jobs;
}
inline std::vector<queue::JobId> job_ids_in(queue::Store& store) {
  std::vector<queue::JobId> ids;
  for (const queue::JobRecord& job : jobs_in(store)) ids.push_back(job.id);
  return ids;
}

}  // namespace tenure::testing
