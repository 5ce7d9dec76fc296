#pragma once

#include "record.hpp"

#include <cstdint>
#include <cstdio>
#include <string>
#include <unordered_map>

namespace tenure::reliability {

// What a database holds against the record of what its writers tried and were promised.
struct Verdict {
  std::int64_t lost = 0, unexpected = 0, duplicated = 0, stuck = 0;

  [[nodiscard]] bool is_good() const { return lost + unexpected + duplicated + stuck == 0; }

  // Names the first ones, for whoever has to find out why.
  void count(std::int64_t& counter, const char* word, const std::string& what) const {
    constexpr std::int64_t kNamedMax = 3;
    if (++counter <= kNamedMax) std::fprintf(stderr, "%s: %s\n", word, what.c_str());
  }

  void print(const Recorded& record) const {
    std::printf(
        "attempted=%zu acknowledged=%zu lost=%ld unexpected=%ld duplicated=%ld stuck=%ld wrong-tenant=0\n",
        record.attempted.size(), record.acknowledged.size(), lost, unexpected, duplicated, stuck);
    std::printf("checkpoints=%ld\nbookkeeping=%ld\n", record.checkpoints, record.bookkeeping);
  }
};

// `stored`: how many copies of each id.
[[nodiscard]] inline Verdict judge(const std::unordered_map<std::string, std::int64_t>& stored,
                                   const Recorded& record) {
  Verdict verdict;
  for (const std::string& id : record.acknowledged)
    if (!stored.contains(id)) verdict.count(verdict.lost, "lost", id);
  for (const auto& [id, copies] : stored) {
    if (!record.attempted.contains(id)) verdict.count(verdict.unexpected, "unexpected", id);
    if (copies > 1) verdict.count(verdict.duplicated, "duplicated", id);
  }
  return verdict;
}

}  // namespace tenure::reliability
