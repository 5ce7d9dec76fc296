#pragma once

#include <tenure/base/strong.hpp>
#include <tenure/queue/types.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// What is looked for where something may be wrong with a store: by `tenure doctor` and `tenure store check`. Nobody else
// decides by these.
namespace tenure::queue {

// How thoroughly the pages of the file are looked at, which takes as long as reading it: quick leaves out that each index agrees with
// its table.
enum class PageCheck : std::uint8_t { none, quick, full };

// What no store of ours leaves behind.
enum class Defect : std::uint8_t {
  damaged_page,           // the file is no database, as far as SQLite sees
  job_in_no_place,        // neither ended, nor running, nor waiting anywhere: it will never start
  job_in_several_places,  // it may start twice
  row_without_job,        // of ready, scheduled, blocked, claim, suspect or attempt
  blocked_without_cause,  // for a reason that nothing ever lifts
  claim_without_holder,   // of a dispatcher that the store has never had
  wrong_counter,          // a mark, from which the store counts on, beyond what is there
  wrong_range,  // of jobs that does not name the tenant of one of them: lists of that tenant pass it over
};
[[nodiscard]] std::string_view name_of(Defect defect);

struct DefectRecord {
  Defect defect = Defect::damaged_page;
  std::int64_t count = 0;
  std::string example;  // "seq 7: in ready, scheduled"
};

// A row with which something is wrong that can be mended, by its key: for the store that has found it.
struct DefectPlace {
  Defect defect = Defect::row_without_job;
  std::size_t table = 0;
  std::array<std::int64_t, 6> key{};
};

// Jobs that wait for a tenant which will never take them: it is deleted, or they belong to an older generation.
struct DanglingWork {
  std::string tenant;
  Generation generation;
  TenantState state = TenantState::deleted;
  std::int64_t jobs = 0;
};

// Who holds the claims that there are.
struct ClaimCensus {
  std::int64_t of_newest_holder = 0;
  std::int64_t of_others = 0;  // which the newest one takes back when it starts
};

}  // namespace tenure::queue
