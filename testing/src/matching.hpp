#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/queue/store.hpp>
#include <tenure/testing/where.hpp>

#include <vector>

// Which jobs of a queue are meant, and what is told where none is.
namespace tenure::testing::detail {

// In the order in which they came.
[[nodiscard]] std::vector<Candidate> matching(queue::Store& store, const Criteria& criteria, WallTime now);

[[nodiscard]] Matched match(queue::Store& store, const Criteria& criteria, WallTime now);

}  // namespace tenure::testing::detail
