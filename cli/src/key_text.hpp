#pragma once

#include "show_text.hpp"

#include <tenure/base/json.hpp>
#include <tenure/queue/limit.hpp>

#include <string>
#include <utility>
#include <vector>

// The keys of a job as several verbs tell of them.
namespace tenure::cli {

// A line's name and its text, for each key that the job has stated.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> key_texts(const queue::JobKeys& keys);
// Of one that waits for its concurrency key: how many have it, who they are, and who comes before.
[[nodiscard]] std::vector<std::string> holder_texts(const queue::JobKeys& keys, const ShowStyle& style);
// Members "concurrency" and "unique" of the object that is open, null where there is none.
void write_keys(json::Writer& writer, const queue::JobKeys& keys);

}  // namespace tenure::cli
