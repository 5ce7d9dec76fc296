#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/mask.hpp>
#include <tenure/queue/run.hpp>

// What goes into a capsule of a secret: the type of its value. Internal.
namespace tenure::replay {

// Columns of the application's tables whose names the mask covers: texts are queue::kMasked, with a number behind it where a constraint
// refuses that; numbers 0, bytes empty; null stays. For a connection that is alone. ConstraintViolated, which names table and column,
// where that cannot be.
void redact_tables(sqlite::Connection& copy, const queue::Mask& mask);

// Those of the job stay, with what the mask covers in the results of their steps redacted: the members of a JSON, or all of it where the
// step's name is covered. Those of other jobs go.
void redact_receipts(sqlite::Connection& copy, queue::JobId job, const queue::Mask& mask);

// Its envelope without seal, its arguments redacted, its cursor without what they hid. One that cannot be read is empty.
[[nodiscard]] queue::AssignedJob redacted(queue::AssignedJob job, const queue::Mask& mask);

}  // namespace tenure::replay
