#pragma once

#include "show_text.hpp"

#include <tenure/base/json.hpp>
#include <tenure/queue/store.hpp>

#include <string>
#include <vector>

// Limits, as several verbs tell of them.
namespace tenure::cli {

// "3 run", "100/1m", "3 run, 100/1m".
[[nodiscard]] std::string bounds_text(const queue::LimitBounds& bounds);
// "kind reports.* per tenant", "queue mailers", "all jobs per tenant,kind".
[[nodiscard]] std::string target_text(const queue::LimitTarget& target);
// Whose count it is: "tenant acme, kind a.b"; "" for all together.
[[nodiscard]] std::string counted_text(const queue::LimitStanding& standing);
// Of one that is in the way: "limit reports-per-tenant, 2 of 2 run", "limit mail, 100/1m used up".
[[nodiscard]] std::string short_text(const queue::LimitStanding& standing);
// Of one that is in the way of a job: what it waits for and when that ends, then who runs.
[[nodiscard]] std::vector<std::string> limit_texts(const queue::LimitStanding& standing,
                                                   const ShowStyle& style);
// A bound that would let one more start: "3", "101/1m".
[[nodiscard]] std::string more_text(const queue::LimitStanding& standing);
void write_limit(json::Writer& writer, const queue::LimitRecord& limit);
void write_standing(json::Writer& writer, const queue::LimitStanding& standing);

}  // namespace tenure::cli
