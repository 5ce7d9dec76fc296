#pragma once

#include "../lane_gates.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/records.hpp>

#include <span>
#include <vector>

// What the dispatcher has told of its pools, in rows. Internal.
namespace tenure::queue {

// Rows that say the same are left alone.
void write_pools(sqlite::Connection& connection, Incarnation incarnation, std::span<const PoolRecord> pools);
[[nodiscard]] std::vector<PoolRecord> read_pools(sqlite::Connection& connection);
// Of the newest dispatcher, alive or not.
[[nodiscard]] std::vector<PoolSlots> read_pool_slots(sqlite::Connection& connection);
// Of the newest dispatcher; it is for the caller to know whether that one lives. No gates where it has told nothing.
[[nodiscard]] LaneGates read_gates(sqlite::Connection& connection);

[[nodiscard]] std::vector<const sqlite::Query*> pool_queries();

}  // namespace tenure::queue
